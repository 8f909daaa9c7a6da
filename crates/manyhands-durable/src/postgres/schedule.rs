//! What comes again and again.

use std::time::{Duration, SystemTime};

use graphile_worker_database::tokio_postgres::TokioPostgresDatabase;

use super::{Asked, SUBMIT, connection, told, unsure};
use crate::store::{NewJob, Schedule};
use crate::{Error, Submission, cron};

/// Makes `schedules` those of the kind.
pub(super) async fn set(
    db: &TokioPostgresDatabase,
    kind: &str,
    schedules: &[Schedule],
) -> Result<(), Error> {
    let mut client = connection(db).await?;
    let transaction = client.transaction().await.map_err(told)?;
    let now =
        transaction.query_one("select now(), manyhands.keep()", &[]).await;
    let now: SystemTime = now.and_then(|row| row.try_get(0)).map_err(told)?;
    let names: Vec<&str> =
        schedules.iter().map(|it| it.name.as_str()).collect();
    transaction
        .execute(
            "delete from manyhands.schedules \
             where kind = $1 and not name = any($2)",
            &[&kind, &names],
        )
        .await
        .map_err(told)?;
    // In one order, so that two who start do not wait for each other.
    let mut schedules: Vec<&Schedule> = schedules.iter().collect();
    schedules.sort_by_key(|it| &it.name);
    for it in schedules {
        let next = cron::next_after(&it.cron, now)?;
        let most = i32::try_from(it.job.max_attempts).unwrap_or(1000);
        transaction
            .execute(
                "insert into manyhands.schedules as planned \
                 (kind, name, expression, job, max_attempts, next_at) \
                 values ($1, $2, $3, $4, $5, $6) \
                 on conflict (kind, name) do update set \
                 expression = excluded.expression, job = excluded.job, \
                 max_attempts = excluded.max_attempts, \
                 next_at = case \
                     when planned.expression = excluded.expression \
                     then planned.next_at else excluded.next_at \
                 end",
                &[&kind, &it.name, &it.cron, &it.job.job, &most, &next],
            )
            .await
            .map_err(told)?;
    }
    transaction.commit().await.map_err(unsure)?;
    client.keep();
    Ok(())
}

/// Submits what is due. When is the next?
pub(super) async fn tick(
    db: &TokioPostgresDatabase,
    kind: &str,
) -> Result<Option<Duration>, Error> {
    let mut client = connection(db).await?;
    let transaction = client.transaction().await.map_err(told)?;
    // A process that is stopped here must not keep others from the rows.
    transaction
        .batch_execute("set local idle_in_transaction_session_timeout = '5s'")
        .await
        .map_err(told)?;
    let due = transaction
        .query(
            "select name, expression, job, max_attempts, now() \
             from manyhands.schedules \
             where kind = $1 and next_at <= now() \
             order by name for update skip locked",
            &[&kind],
        )
        .await
        .map_err(told)?;
    for row in due {
        let name: String = row.try_get(0).map_err(told)?;
        let expression: String = row.try_get(1).map_err(told)?;
        let most: i32 = row.try_get(3).map_err(told)?;
        let now: SystemTime = row.try_get(4).map_err(told)?;
        let next = cron::next_after(&expression, now)?;
        let new = NewJob {
            kind: kind.to_owned(),
            job: row.try_get(2).map_err(told)?,
            how: Submission::new(),
            max_attempts: most.unsigned_abs(),
        };
        let asked = Asked::new(&new);
        transaction.query_one(SUBMIT, &asked.params()).await.map_err(told)?;
        transaction
            .execute(
                "update manyhands.schedules set next_at = $3 \
                 where kind = $1 and name = $2",
                &[&kind, &name, &next],
            )
            .await
            .map_err(told)?;
    }
    let row = transaction
        .query_one(
            "select ceil(extract(epoch from min(next_at) - now()) * 1000) \
             ::bigint from manyhands.schedules where kind = $1",
            &[&kind],
        )
        .await
        .map_err(told)?;
    let next: Option<i64> = row.try_get(0).map_err(told)?;
    transaction.commit().await.map_err(unsure)?;
    client.keep();
    Ok(next.map(|ms| Duration::from_millis(ms.max(0).unsigned_abs())))
}

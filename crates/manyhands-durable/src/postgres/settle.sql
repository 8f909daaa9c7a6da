-- What is settled: 0 is done, 1 to be tried again, 2 dead, 3 given back.
with asked as (
    select * from unnest(
        $2::bigint[], $3::int[], $4::timestamptz[], $5::smallint[],
        $6::text[], $7::bigint[]
    ) as asked (id, attempts, locked_at, what, said, ms)
), held as materialized (
    select j.id, j.job_queue_id, j.locked_at, asked.attempts, asked.what,
        asked.said, asked.ms
    from asked
    join graphile_worker._private_jobs j on j.id = asked.id
    where j.locked_by = $1 and j.attempts = asked.attempts
        and j.locked_at = asked.locked_at
    for update of j
), gone as (
    delete from graphile_worker._private_jobs j
    using held
    where j.id = held.id and held.what = 0
    returning j.*, held.said, held.ms
), finished as (
    insert into manyhands.done (
        id, kind, attempts, max_attempts, priority, submitted_at, run_at,
        finished_at, keep_until, last_error, key, serial, trace, output
    )
    select gone.id, tasks.identifier, gone.attempts, gone.max_attempts,
        gone.priority, gone.created_at, gone.run_at, now(),
        now() + gone.ms * interval '1 millisecond', gone.last_error,
        gone.payload->>'key', gone.payload->>'serial',
        gone.payload->>'trace', gone.said
    from gone
    join graphile_worker._private_tasks tasks on tasks.id = gone.task_id
), freed as (
    update graphile_worker._private_jobs j set
        locked_by = null, locked_at = null, updated_at = now(),
        attempts = case held.what
            when 2 then j.max_attempts
            when 3 then j.attempts - 1
            else j.attempts
        end,
        run_at = case held.what
            when 1 then now() + held.ms * interval '1 millisecond'
            else j.run_at
        end,
        last_error = coalesce(held.said, j.last_error)
    from held
    where j.id = held.id and held.what > 0
), buried as (
    insert into manyhands.dead (id, attempts)
    select id, attempts from held where what = 2
    on conflict (id) do update set attempts = excluded.attempts
), queues as (
    update graphile_worker._private_job_queues q
    set locked_by = null, locked_at = null
    from held
    where q.id = held.job_queue_id and q.locked_by = $1
), told as (
    select pg_notify('jobs:insert', '')
    where exists (select from held where what = 3)
)
select held.id, held.attempts, held.locked_at, told.*, kept.*
from held left join told on true, manyhands.keep() as kept

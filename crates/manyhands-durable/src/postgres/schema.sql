-- What stands beside the engine's tables. One transaction, under a lock.
create schema if not exists manyhands;

-- What is done, without what was asked.
create table if not exists manyhands.done (
    id bigint primary key,
    kind text not null,
    attempts int not null,
    max_attempts int not null,
    priority int not null,
    submitted_at timestamptz not null,
    run_at timestamptz not null,
    finished_at timestamptz not null,
    keep_until timestamptz not null,
    last_error text,
    key text,
    serial text,
    trace text,
    output text
);
create index if not exists done_keep_until on manyhands.done (keep_until);
create index if not exists done_kind on manyhands.done (kind);

-- At most one job of a kind has a key, until it is purged.
create table if not exists manyhands.keys (
    kind text not null,
    key text not null,
    id bigint not null,
    primary key (kind, key)
);
create index if not exists keys_id on manyhands.keys (id);

create table if not exists manyhands.kinds (
    kind text primary key,
    paused boolean not null default false,
    -- Before which no job is begun, where there is a rate.
    next_start timestamptz not null default '1970-01-01Z'
);

-- The attempts of what is dead before its last: for the engine, that is what
-- has none left.
create table if not exists manyhands.dead (
    id bigint primary key,
    attempts int not null
);

create table if not exists manyhands.schedules (
    kind text not null,
    name text not null,
    expression text not null,
    job text not null,
    max_attempts int not null,
    next_at timestamptz not null,
    primary key (kind, name)
);

-- A kind with few jobs must not look through the backlog of another.
create index if not exists manyhands_claim
    on graphile_worker._private_jobs (task_id, priority, run_at, id)
    where is_available;
-- Held jobs are few, and looked for often.
create index if not exists manyhands_held
    on graphile_worker._private_jobs (task_id, locked_by)
    where locked_by is not null;

-- The first that was not begun of those of a serial word; or any.
create index if not exists manyhands_serial
    on graphile_worker._private_jobs (job_queue_id, attempts, id)
    where job_queue_id is not null;
-- Dead letters are few among many.
create index if not exists manyhands_dead
    on graphile_worker._private_jobs (id)
    where not is_available and locked_at is null;

-- The engine's name for a serial word: it allows 128 characters.
create or replace function manyhands.queue_name(kind text, serial text)
returns text language sql immutable as $$
    select case
        when length(kind) + length(serial) < 120 then kind || ':' || serial
        else kind || '#' || md5(serial)
    end
$$;

create or replace function manyhands.envelope(
    n bigint, at timestamptz, key text, serial text, trace text, job text
) returns json language sql stable as $$
    select (concat(
        '{"v":1,"n":', n,
        ',"at":', floor(extract(epoch from at) * 1000)::bigint,
        ',"key":' || to_json(key)::text,
        ',"serial":' || to_json(serial)::text,
        ',"trace":' || to_json(trace)::text,
        ',"job":', job, '}'
    ))::json
$$;

-- A database, a role or a session may say that a commit need not be on the
-- disk. What is promised of jobs needs it to be, in the transaction that says
-- so; where standbys are waited for, they still are.
create or replace function manyhands.keep() returns void
language plpgsql as $$
begin
    if current_setting('synchronous_commit') = 'off' then
        perform set_config('synchronous_commit', 'on', true);
    end if;
end
$$;

-- Removes serial words without jobs, of the next so many; not while a
-- transaction stores jobs of any (manyhands.add_jobs), for which nobody waits.
-- Returns how many were removed, and after which the next are.
create or replace function manyhands.prune(
    most int, inout after int, out removed int
) language plpgsql set enable_seqscan = off as $$
declare
    words int[];
    last int;
begin
    removed := 0;
    -- What is looked for is what others have committed meanwhile.
    if current_setting('transaction_isolation') <> 'read committed' then
        return;
    end if;
    select array_agg(q.id) filter (where q.queue_name ~ '[:#]' and not exists (
            select from graphile_worker._private_jobs j
            where j.job_queue_id = q.id
        )), max(q.id) filter (where q.place = most)
    into words, last from (
        select id, queue_name, row_number() over (order by id) place
        from graphile_worker._private_job_queues
        where id > after order by id limit most
    ) q;
    after := coalesce(last, 0);
    if words is null or not pg_try_advisory_xact_lock(7812045223146) then
        return;
    end if;
    -- A statement of its own: it sees what was stored until now.
    with unused as (
        select q.id from graphile_worker._private_job_queues q
        where q.id = any (words) and q.is_available and not exists (
            select from graphile_worker._private_jobs j
            where j.job_queue_id = q.id
        )
        for update skip locked
    )
    delete from graphile_worker._private_job_queues q
    using unused where q.id = unused.id;
    get diagnostics removed = row_count;
end
$$;

-- Forgets what has been done for longer than it is kept, of jobs with these
-- keys, also where nobody has swept yet.
create or replace function manyhands.forget(of_kind text, keys text[])
returns void language sql as $$
    with gone as (
        delete from manyhands.done d
        using manyhands.keys k
        where k.kind = of_kind and k.key = any (keys) and d.id = k.id
            and d.keep_until < now()
        returning d.id
    )
    delete from manyhands.keys k using gone where k.id = gone.id
$$;

-- The engine's function, by the indexes alone, whatever the planner knows of
-- the tables: so a job's place among others of its transaction decides its id,
-- since nothing but a loop over the jobs joins them to their words.
create or replace function manyhands.add_jobs(specs graphile_worker.job_spec[])
returns setof graphile_worker._private_jobs language plpgsql
set enable_hashjoin = off set enable_mergejoin = off
set enable_seqscan = off set enable_bitmapscan = off
as $$
begin
    if exists (select from unnest(specs) s where s.queue_name is not null) then
        perform pg_advisory_xact_lock_shared(7812045223146);
    end if;
    return query select * from graphile_worker.add_jobs(specs);
    if current_setting('transaction_isolation') <> 'read committed' then
        -- A word that was there when the transaction began may be gone.
        perform from graphile_worker._private_job_queues q
        where q.queue_name in (select s.queue_name from unnest(specs) s)
        for key share;
    end if;
end
$$;

-- Stores jobs of one kind. What is asked of each is at its place in the
-- arrays; times are milliseconds. Returns their ids in that order, in which
-- they ascend where the jobs are new.
create or replace function manyhands.submit_many(
    kind text, jobs text[], keys text[], serials text[], priorities int[],
    run_ats bigint[], delays bigint[], max_attempts int[], traces text[]
) returns bigint[] language plpgsql as $$
#variable_conflict use_column
declare
    -- Later than what this transaction stored before: now() would not be. So
    -- jobs of one serial word keep their order.
    base constant timestamptz := clock_timestamp();
    specs graphile_worker.job_spec[];
    ids bigint[];
begin
    perform manyhands.keep();
    if submit_many.kind !~ '^[A-Za-z0-9_.:-]{1,64}$' then
        raise exception 'not a kind: %', submit_many.kind
            using errcode = 'invalid_parameter_value';
    end if;
    if array_remove(keys, null) <> '{}' then
        perform manyhands.forget(submit_many.kind, keys);
    end if;
    -- In order, so that two who store the same keys do not wait for each
    -- other. A job's place, negative, until it has an id.
    insert into manyhands.keys (kind, key, id)
    select submit_many.kind, asked.key, -min(asked.n)
    from unnest(keys) with ordinality asked (key, n)
    where asked.key is not null
    group by asked.key
    order by asked.key
    on conflict do nothing;

    select array_agg((
        submit_many.kind,
        manyhands.envelope(n, base, asked.key, serial, trace, job),
        manyhands.queue_name(submit_many.kind, serial),
        case
            when delay is not null
                then base + delay * interval '1 millisecond'
            else greatest(
                base + n * interval '1 microsecond',
                to_timestamp(run_at / 1000.0)
            )
        end,
        most,
        null,
        -- The engine's least runs first. All numbers have their place so.
        ~priority,
        null
    )::graphile_worker.job_spec order by n)
    into specs
    from unnest(
        jobs, keys, serials, priorities, run_ats, delays, max_attempts, traces
    ) with ordinality asked (
        job, key, serial, priority, run_at, delay, most, trace, n
    )
    left join manyhands.keys taken
        on taken.kind = submit_many.kind and taken.key = asked.key
    where asked.key is null or taken.id = -n;

    with stored as (
        -- Each says its place.
        select id, split_part(
            split_part(left(payload::text, 40), ',', 2), ':', 2
        )::bigint as n
        from manyhands.add_jobs(specs)
        where specs is not null
    ), known as (
        update manyhands.keys taken set id = stored.id
        from stored
        where taken.kind = submit_many.kind and taken.id = -stored.n
            and taken.key = keys[stored.n]
        returning taken.key, taken.id
    )
    select array_agg(
        coalesce(stored.id, known.id, nullif(taken.id, -n)) order by n
    )
    into ids
    from unnest(keys) with ordinality asked (key, n)
    left join stored using (n)
    left join known on known.key = asked.key
    left join manyhands.keys taken
        on taken.kind = submit_many.kind and taken.key = asked.key;
    if array_position(ids, null) is not null then
        -- A key that was there was purged meanwhile.
        raise exception 'keys were purged: submit again'
            using errcode = 'serialization_failure';
    end if;
    return ids;
end
$$;

-- Stores a job, in the transaction of whoever calls it. Returns its id, or
-- the id of the one that has the key.
create or replace function manyhands.submit(
    kind text, job json, key text default null, serial text default null,
    priority int default 0, run_at timestamptz default now(),
    delay interval default null, max_attempts int default 10,
    trace_parent text default null
) returns bigint language plpgsql as $$
#variable_conflict use_variable
declare
    at constant timestamptz := clock_timestamp();
    new bigint;
begin
    perform manyhands.keep();
    if kind is null or kind !~ '^[A-Za-z0-9_.:-]{1,64}$' then
        raise exception 'not a kind: %', kind
            using errcode = 'invalid_parameter_value';
    end if;
    if job is null or position('\u0000' in job::text) > 0
        or octet_length(job::text) > 1048576
        or octet_length(key) not between 1 and 512
        or octet_length(serial) not between 1 and 256
        or octet_length(trace_parent) not between 1 and 256
        or priority not between -32768 and 32767
        or max_attempts not between 1 and 1000
    then
        raise exception 'not a job: see Submission for what is allowed'
            using errcode = 'invalid_parameter_value';
    end if;
    if key is not null then
        perform manyhands.forget(kind, array[key]);
        loop
            insert into manyhands.keys as taken (kind, key, id)
            values (submit.kind, submit.key, 0)
            on conflict do nothing;
            exit when found;
            select taken.id into new from manyhands.keys taken
            where taken.kind = submit.kind and taken.key = submit.key;
            if found then
                return new;
            end if;
            -- It was purged meanwhile.
        end loop;
    end if;
    select stored.id into new from manyhands.add_jobs(array[(
        kind,
        manyhands.envelope(1, at, key, serial, trace_parent, job::text),
        manyhands.queue_name(kind, serial),
        case
            when delay is not null then at + delay
            else greatest(at, run_at)
        end,
        max_attempts,
        null,
        ~priority,
        null
    )::graphile_worker.job_spec]) stored;
    if key is not null then
        update manyhands.keys taken set id = new
        where taken.kind = submit.kind and taken.key = submit.key;
    end if;
    return new;
end
$$;


-- The priorities above one at which jobs of a kind are due, 64 at most, and
-- when the next job is. From one to the next by the index, so that what is to
-- come is not looked through, however much it is. The kind is asked for as a
-- set, and is first in the order: no other index has that. Where it is known
-- since when there are jobs of a priority, what was there before is not looked
-- through: until the next vacuum, the index still has it.
create or replace function manyhands.levels(
    task int, above int, known int default null, since timestamptz default null,
    out due smallint[], out coming timestamptz
) language plpgsql stable
set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off
as $$
declare
    level int := above;
    next int;
    first timestamptz;
    later timestamptz;
begin
    due := '{}';
    loop
        -- The next, if it is less than the one that is known; or that one.
        select j.priority, j.run_at into next, first
        from graphile_worker._private_jobs j
        where known > level
            and j.is_available and j.task_id = any (array[task])
            and j.priority > level and j.priority < known
        order by j.task_id, j.priority, j.run_at
        limit 1;
        if next is null then
            select j.priority, j.run_at into next, first
            from graphile_worker._private_jobs j
            where known > level
                and j.is_available and j.task_id = any (array[task])
                and j.priority = known and j.run_at >= since
                and j.run_at <= now()
            order by j.task_id, j.run_at
            limit 1;
        end if;
        if next is null then
            select j.priority, j.run_at into next, first
            from graphile_worker._private_jobs j
            where j.is_available and j.task_id = any (array[task])
                and j.priority > level
            order by j.task_id, j.priority, j.run_at
            limit 1;
        end if;
        exit when next is null;
        level := next;
        if first > now() then
            later := first;
        else
            due := due || level::smallint;
            select j.run_at into later
            from graphile_worker._private_jobs j
            where j.is_available and j.task_id = any (array[task])
                and j.priority = level and j.run_at > now()
            order by j.task_id, j.run_at
            limit 1;
        end if;
        coming := least(coming, later);
        exit when cardinality(due) >= 64;
    end loop;
end
$$;

-- What a worker may claim now, and when to ask again. Called in the claim's
-- own transaction: what it counts and grants is only so until that ends.
create or replace function manyhands.gate(
    of_kind text, task int, worker text, lease_ms bigint, most int,
    held_at_most int, interval_us bigint, known int, since timestamptz,
    out granted int, out again_us bigint, out due smallint[]
) language plpgsql as $$
declare
    moment timestamptz := now();
    is_paused boolean;
    next_at timestamptz;
    coming timestamptz;
begin
    perform manyhands.keep();
    -- A process that is stopped in the middle must not keep others from what
    -- it has locked: it is at rest between its statements for a moment only.
    -- Those who wait for it give no sign of life meanwhile.
    perform set_config(
        'idle_in_transaction_session_timeout',
        least(5000, lease_ms / 3)::text, true
    );
    -- The claim is by the index, whatever the planner knows of the tables.
    perform set_config(setting, 'off', true) from unnest(array[
        'enable_seqscan', 'enable_bitmapscan', 'enable_sort', 'jit'
    ]) setting;
    granted := 0;
    due := '{}';
    -- Who has a job gives signs of life, and gave one before it has it.
    if not exists (
        select from graphile_worker._private_workers w
        where w.id = worker and w.last_heartbeat_at
            > moment - lease_ms / 3 * interval '1 millisecond'
    ) then
        perform graphile_worker.worker_heartbeat(
            worker, json_build_object('lease_ms', lease_ms)
        );
    end if;
    select paused into is_paused from manyhands.kinds where kind = of_kind;
    if is_paused then
        again_us := 500000;
        return;
    end if;
    select l.due, l.coming into due, coming
    from manyhands.levels(task, -32769, known, since) l;
    again_us := ceil(extract(epoch from coming - moment) * 1000000);
    if cardinality(due) = 0 then
        return;
    end if;
    granted := most;
    if held_at_most is not null then
        perform pg_advisory_xact_lock(
            hashtextextended('manyhands limit ' || of_kind, 0)
        );
        granted := least(most, held_at_most - (
            select count(*) from graphile_worker._private_jobs j
            where j.task_id = task and j.locked_by is not null
        ));
        if granted <= 0 then
            granted := 0;
            again_us := least(again_us, 100000);
            return;
        end if;
    end if;
    if interval_us is not null then
        insert into manyhands.kinds (kind) values (of_kind)
        on conflict do nothing;
        select next_start into next_at from manyhands.kinds
        where kind = of_kind for update;
        -- Not now(): the row may have been another's for a while.
        moment := clock_timestamp();
        if next_at > moment then
            granted := 0;
            again_us := least(
                again_us, ceil(extract(epoch from next_at - moment) * 1000000)
            );
        else
            granted := 1;
            again_us := least(again_us, interval_us);
        end if;
    end if;
end
$$;

-- Jobs of a kind, or of all, whose worker gave no sign of life for a lease:
-- ready, or dead if no attempt is left. The lease is that of the worker that
-- held the job; an unknown one's is four hours, as it is the engine's.
create or replace function manyhands.sweep(
    task int default null, worker text default '', held bigint[] default '{}'
) returns bigint language sql as $$
    with lost as (
        select j.id, j.job_queue_id, j.locked_by
        from graphile_worker._private_jobs j
        left join graphile_worker._private_workers w on w.id = j.locked_by
        where (task is null or j.task_id = task) and j.locked_by is not null
            and case
                -- A claim of which this worker never had the answer.
                when j.locked_by = worker then not j.id = any(held)
                else coalesce(w.last_heartbeat_at, j.locked_at) < now()
                    - coalesce((w.metadata->>'lease_ms')::bigint, 14400000)
                    * interval '1 millisecond'
            end
        for update of j skip locked
    ), freed as (
        update graphile_worker._private_jobs j
        set locked_by = null, locked_at = null, updated_at = now(),
            attempts = j.attempts - (lost.locked_by = worker)::int,
            last_error = case
                when lost.locked_by = worker then j.last_error
                else 'its worker vanished'
            end
        from lost where j.id = lost.id
    ), queues as (
        update graphile_worker._private_job_queues q
        set locked_by = null, locked_at = null
        from lost where q.id = lost.job_queue_id
            and q.locked_by = lost.locked_by
    ), gone as (
        delete from graphile_worker._private_workers w
        where w.id like 'manyhands-%'
            and w.last_heartbeat_at < now() - interval '2 days'
            and not exists (
                select from graphile_worker._private_jobs j
                where j.locked_by = w.id
            )
    )
    select count(*) from lost
$$;

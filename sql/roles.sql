-- Who may do what, in one place; applied again whenever a migration or this file changes.
--   kcjl_service   the running service: appends, keeps projections, snapshots, the sync log,
--                  the Cloud feed and the vault
--   kcjl_operator  people at work: read, and insert commands
--   kcjl_auditor   read only, and nothing of the sealed personal data; asks for one buyer by a
--                  function that leaves a trace
-- Without the right to create roles they are left out with a warning; the triggers still hold.

do $$
declare
    wanted text;
begin
    foreach wanted in array array['kcjl_service', 'kcjl_operator', 'kcjl_auditor'] loop
        if not exists (select from pg_roles where rolname = wanted) then
            begin
                execute format('create role %I nologin', wanted);
            exception
                when insufficient_privilege then
                    raise warning 'role % is missing, and % may not create roles', wanted, current_user
                        using hint = format(
                            'ask a superuser for: create role %I nologin; grant %I to %I; then migrate again',
                            wanted, wanted, current_user
                        );
                    continue;
                when duplicate_object or unique_violation then
                    null;  -- the migration of another database of this server was quicker
            end;
        end if;
        begin
            if not (select rolsuper from pg_roles where rolname = current_user)
                and current_user <> wanted
            then
                execute format('grant %I to %I', wanted, current_user);
            end if;
        exception
            when insufficient_privilege then
                raise warning '% may not act as %', current_user, wanted
                    using hint = format('ask a superuser for: grant %I to %I', wanted, current_user);
            when internal_error or unique_violation then
                null;  -- granted by another database's migration at the same moment
        end;
    end loop;
end
$$;

do $$
declare
    access record;
begin
    for access in
        select * from (values
            ('kcjl_service', 'select, insert', 'table event'),
            ('kcjl_service', 'select, insert, update', 'table log_head'),
            ('kcjl_service', 'select, insert, update', 'table lease'),
            ('kcjl_service', 'execute', 'function append_events'),
            ('kcjl_service', 'select, insert, update, delete', 'table projection_checkpoint'),
            ('kcjl_service', 'select, insert, update, delete', 'table projection_row'),
            ('kcjl_service', 'select, insert, update, delete', 'table snapshot'),
            ('kcjl_service', 'select, insert, update, delete', 'table vault'),
            ('kcjl_service', 'select, insert, delete', 'table sync_log'),
            ('kcjl_service', 'select, insert, update, delete', 'table sync_surprise'),
            ('kcjl_service', 'select, insert, update (done_at, outcome)', 'table command'),
            ('kcjl_service', 'select, insert, update, delete', 'table cloud_outbox'),
            ('kcjl_service', 'select, insert, update, delete', 'table cloud_status'),
            ('kcjl_service', 'select, insert, update, delete', 'table cloud_level'),
            ('kcjl_service', 'select, insert, update, delete', 'table cloud_product'),
            ('kcjl_service', 'select, insert, update, delete', 'table cloud_contact'),
            ('kcjl_service', 'select, insert, update, delete', 'table keyframe'),
            ('kcjl_service', 'select, insert, update, delete', 'table keyframe_row'),
            ('kcjl_service', 'select, insert, update, delete', 'table keyframe_state'),
            ('kcjl_service', 'select, insert, update, delete', 'table worker'),
            ('kcjl_service', 'select', 'table merchant_wish'),
            ('kcjl_service', 'select', 'table projection_state'),
            ('kcjl_service', 'select', 'table kcjl_migration'),

            ('kcjl_operator', 'select', 'table event'),
            ('kcjl_operator', 'select', 'table log_head'),
            ('kcjl_operator', 'select', 'table lease'),
            ('kcjl_operator', 'select', 'table projection_checkpoint'),
            ('kcjl_operator', 'select', 'table projection_row'),
            ('kcjl_operator', 'select', 'table sync_log'),
            ('kcjl_operator', 'select', 'table sync_surprise'),
            ('kcjl_operator', 'select', 'table cloud_outbox'),
            ('kcjl_operator', 'select', 'table cloud_status'),
            ('kcjl_operator', 'select', 'table cloud_level'),
            ('kcjl_operator', 'select', 'table cloud_product'),
            ('kcjl_operator', 'select', 'table cloud_contact'),
            ('kcjl_operator', 'select', 'table vault'),
            ('kcjl_operator', 'select, insert (merchant, id, issued_at, by, body)', 'table command'),
            ('kcjl_operator', 'select', 'table keyframe'),
            ('kcjl_operator', 'select', 'table keyframe_row'),
            ('kcjl_operator', 'select', 'table keyframe_state'),
            ('kcjl_operator', 'select', 'table worker'),
            ('kcjl_operator', 'select, insert, update', 'table merchant_wish'),
            ('kcjl_operator', 'select', 'table projection_state'),
            ('kcjl_operator', 'select', 'table kcjl_migration'),

            ('kcjl_auditor', 'select', 'table event'),
            ('kcjl_auditor', 'select', 'table log_head'),
            ('kcjl_auditor', 'select', 'table lease'),
            ('kcjl_auditor', 'select', 'table projection_checkpoint'),
            ('kcjl_auditor', 'select', 'table projection_row'),
            ('kcjl_auditor', 'select', 'table sync_log'),
            ('kcjl_auditor', 'select', 'table sync_surprise'),
            ('kcjl_auditor', 'select', 'table cloud_outbox'),
            ('kcjl_auditor', 'select', 'table cloud_status'),
            ('kcjl_auditor', 'select', 'table cloud_level'),
            ('kcjl_auditor', 'select', 'table cloud_product'),
            ('kcjl_auditor', 'select', 'table cloud_contact'),
            ('kcjl_auditor', 'select (merchant, ref, sealed_at, expires_at)', 'table vault'),
            ('kcjl_auditor', 'select', 'table command'),
            ('kcjl_auditor', 'select', 'table keyframe'),
            ('kcjl_auditor', 'select', 'table keyframe_row'),
            ('kcjl_auditor', 'select', 'table keyframe_state'),
            ('kcjl_auditor', 'select', 'table worker'),
            ('kcjl_auditor', 'select', 'table merchant_wish'),
            ('kcjl_auditor', 'select', 'table projection_state'),
            ('kcjl_auditor', 'execute', 'function ask_for_buyer'),
            ('kcjl_auditor', 'select', 'table kcjl_migration')
        ) as matrix (role, privileges, object)
    loop
        if exists (select from pg_roles where rolname = access.role) then
            execute format('grant %s on %s to %I', access.privileges, access.object, access.role);
            execute format('grant usage on schema %I to %I', current_schema(), access.role);
        end if;
    end loop;
end
$$;

-- Who looks at the past does so through temporary views, which are nobody else's.
do $$
declare
    who text;
begin
    for who in select rolname from pg_roles
        where rolname in ('kcjl_service', 'kcjl_operator', 'kcjl_auditor')
    loop
        begin
            execute format('grant temporary on database %I to %I', current_database(), who);
        exception
            when insufficient_privilege or internal_error then
                null;  -- everybody may, unless the owner took it away
        end;
    end loop;
end
$$;

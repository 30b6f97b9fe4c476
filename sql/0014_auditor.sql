-- An auditor asks who bought, and that is an act: it goes into the queue of commands under the
-- name that the database knows the auditor by, with the order and the reason. The service writes
-- it into the log (BuyerShown) before it answers, sealed for the asker alone. An auditor has no
-- right on the table itself: this function is the only way, and takes nothing but this question.
-- The search path is pinned, so that no temporary table can stand in the queue's place.
do $$
begin
    execute format(
        $function$
        create function ask_for_buyer(
            p_merchant text, p_order_id text, p_reason text, p_asker_key text, p_name text
        ) returns text
        language plpgsql security definer set search_path = %I, pg_temp as $body$
        declare
            asked text := gen_random_uuid()::text;
        begin
            if coalesce(btrim(p_reason), '') = '' or coalesce(btrim(p_order_id), '') = ''
                or coalesce(btrim(p_name), '') = ''
            then
                raise exception 'who wants to see a buyer says who, of which order, and why'
                    using errcode = 'KJ003';
            end if;
            insert into command (merchant, id, issued_at, by, body) values (
                p_merchant, asked, clock_timestamp(),
                'auditor ' || left(p_name, 100) || ' (' || session_user || ')',
                json_build_object(
                    'verb', 'show-buyer',
                    'arguments', json_build_object(
                        'order_id', p_order_id, 'reason', p_reason, 'asker_key', p_asker_key
                    )
                )
            );
            return asked;
        end
        $body$
        $function$,
        current_schema()
    );
end
$$;

revoke all on function ask_for_buyer from public;

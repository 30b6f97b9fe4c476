-- Orders in order of urgency, however many there are: those that wait, by the deadline of the next
-- step; and those that are not confirmed, by the deadline of the shipping. Times are texts in UTC
-- and sort as such; what has no deadline comes last. The readers write the same expressions
-- (kcjl/projections/ordersview.py, dispatchview.py).

create index projection_row_order_due
on projection_row (
    merchant,
    version,
    (
        coalesce(
            case
                when data -> 'row' ->> 'state' = 'WAITING_ACCEPTANCE'
                    then data -> 'row' ->> 'accept_by'
            end,
            data -> 'row' ->> 'ship_by',
            '9'
        ) collate "C"
    )
)
where projection = 'orders'
and data ->> 'state' in ('received', 'accepted', 'ready', 'posting', 'posted', 'held');

create index projection_row_dispatch_due
on projection_row (
    merchant, version, (coalesce(data -> 'row' ->> 'ship_by', '9') collate "C")
)
where projection = 'timings'
and data ->> 'state' not in ('confirmed', 'ended', 'passed_over');

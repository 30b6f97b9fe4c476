-- Orders of a period, for the report on whose minutes they were and for the shop's metrics: by the
-- time of ordering, which is text in UTC and sorts as such. Of the read model "timings" alone.
-- The time stands first, and the key is left out, so that this index is never taken for a look-up
-- by key (see 0002).

create index projection_row_ordered
on projection_row (((data -> 'row' ->> 'ordered_at') collate "C"), merchant, version)
where projection = 'timings';

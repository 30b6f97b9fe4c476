"""By which test each kind of exception is provoked that `test_provoked.py` does not itself.

Most kinds are provoked in served worlds: `test_provoked.py` (the real service) and
`test_provoked_served.py` (a handed clock). `OVER_HTTP`: over the sandbox's HTTP, in a test of
their own. `ON_THEIR_PROBE`: of the service itself, by the real thing (a full disk, a tampered
row, …). `IN_THEIR_ROOM`: the real room on a log in memory, between twins that pass
the ports' law suites. `ONLY_DECIDED`: the holes. Whether it is alerted once is looked at in the
worlds with a handed clock; elsewhere it is a law of the alerts room, whatever the kind.
"""

__all__ = ["IN_THEIR_ROOM", "ONLY_DECIDED", "ONLY_DECIDED_MAX", "ON_THEIR_PROBE", "OVER_HTTP"]

SERVICE = "service/test_troubles.py::"
REFUSES = f"{SERVICE}test_side_that_refuses_every_call_is_one_exception_and_clears_by_itself"
CHANGES = (
    "orders/test_intake_over_http.py::"
    "test_changes_after_the_posting_are_tasks_and_no_gaps_over_http"
)
TOTALS = (
    "orders/test_totals_over_http.py::"
    "test_total_that_differs_is_said_with_both_and_clears_when_it_is_mended"
)

OVER_HTTP = {
    "credentials_refused": REFUSES,
    "rate_limited": REFUSES,
    "sales_order_to_reduce": CHANGES,
    "total_differs": TOTALS,
}

COUNT = "orders/test_order_count.py::"
REVERSING = "orders/test_reversing.py::"
PEOPLE = "settlement/test_settlement_people.py::"
RECEIVING = (
    "settlement/test_receiving.py::"
    "test_payout_that_is_not_in_the_bank_is_raised_and_clears_when_it_is"
)

IN_THEIR_ROOM = {
    "order_unaccounted": f"{COUNT}test_order_that_nobody_waits_for_is_named",
    "order_unreadable": "orders/test_orders_intake.py::"
    "test_order_whose_skus_are_known_stops_their_stock_only",
    "reversal_refused": f"{REVERSING}test_refund_that_is_refused_is_raised_and_the_other_lines_"
    "go_on",
    "reversal_waits": f"{REVERSING}test_refund_above_the_balance_waits_and_is_tried_again_by_"
    "itself",
    "reversal_unclear": f"{REVERSING}test_refund_by_somebody_else_while_the_answer_is_lost_is_"
    "a_persons_to_judge",
    "payout_open": f"{PEOPLE}test_payout_that_is_accepted_closes_and_books_the_residue_to_"
    "suspense",
    "payout_gaps": "settlement/test_gaps_since.py::"
    "test_late_fee_is_heard_and_the_exception_is_over",
    "payout_not_received": RECEIVING,
    "payout_received_differs": RECEIVING,
    "journal_refused": "settlement/test_bookkeeping.py::"
    "test_refused_journal_is_raised_and_clears_when_it_is_taken",
    "journal_differs": "settlement/test_bookkeeping.py::"
    "test_journal_that_is_redated_is_raised_until_it_is_put_back",
    "late_line": f"{PEOPLE}test_line_that_comes_late_is_raised_and_booked_by_a_correction",
    "billing_cycle_overdue": f"{PEOPLE}test_cycle_that_does_not_come_is_raised_and_clears_when_"
    "it_does",
    "invoice_document_missing": f"{PEOPLE}test_document_that_is_missing_is_raised_and_asked_"
    "for_every_day",
    "unknown_line_type": "settlement/test_settlement_actor.py::"
    "test_payout_with_a_residue_is_held_until_the_line_comes",
}

WATCH = "exceptions/test_watch.py::"
ON_THEIR_PROBE = {
    "disk_low": f"{WATCH}test_disk_that_runs_full_is_said_once_and_over_when_there_is_room",
    "clock_skew": f"{WATCH}test_clock_that_is_wrong_is_seen_by_the_dates_of_the_answers",
    "feed_stale": f"{WATCH}test_feed_that_is_not_read_is_stale_until_it_is_read_again",
    "projection_behind": f"{WATCH}test_lists_that_are_behind_the_log_are_said_to_be_until_they_"
    "caught_up",
    "chain_broken": f"{WATCH}test_chain_that_was_tampered_with_is_found_a_part_at_a_time",
    "lease_lost": "service/test_lapse.py::"
    "test_service_that_could_not_renew_stops_and_begins_again_by_itself",
    "alert_channel_down": "alerts/test_alert_actor.py::"
    "test_desk_has_one_exception_of_a_channel_that_is_down",
    "left_out": f"{WATCH}test_order_that_nobody_waits_for_is_told_when_it_still_is_later",
    "certificate_expiring": f"{WATCH}test_certificate_that_ends_soon_is_told_of_before_it_does",
}

DECIDED = "exceptions/test_decide.py::test_condition_is_raised_with_its_subject"
ONLY_DECIDED = {
    "certificate_changed": DECIDED,
    "posting_overdue": DECIDED,
    "reversal_differs": DECIDED,
}
"""No test makes the outside bring these about: their rule is tried on its events alone.
Nothing is to be added here.
"""
ONLY_DECIDED_MAX = 3

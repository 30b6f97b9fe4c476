"""By which test each kind of exception is provoked that `test_provoked.py` does not itself.

`OVER_HTTP`: through the sandbox's HTTP as well. `ON_THEIR_PROBE`: of the service itself, by the
real thing (a full disk, a broken row, a second holder, …). `IN_THEIR_ROOM`: the real room on a
log in memory, between twins that pass the ports' law suites. `ONLY_DECIDED`: the holes.
"""

__all__ = ["IN_THEIR_ROOM", "ONLY_DECIDED", "ONLY_DECIDED_MAX", "ON_THEIR_PROBE", "OVER_HTTP"]

SERVICE = "service/test_troubles.py::"
REFUSES = f"{SERVICE}test_side_that_refuses_every_call_is_one_exception_and_clears_by_itself"
CHANGES = (
    "orders/test_intake_over_http.py::"
    "test_changes_after_the_posting_are_tasks_and_no_gaps_over_http"
)
RETURNED = "orders/test_intake_over_http.py::test_return_is_expected_and_then_booked_over_http"
TOTALS = (
    "orders/test_totals_over_http.py::"
    "test_total_that_differs_is_said_with_both_and_clears_when_it_is_mended"
)

OVER_HTTP = {
    "credentials_refused": REFUSES,
    "rate_limited": REFUSES,
    "cancelled_after_posting": CHANGES,
    "sales_order_to_reduce": CHANGES,
    "return_expected": RETURNED,
    "return_to_book": RETURNED,
    "total_differs": TOTALS,
}

PUBLISHING = "stock/test_publishing.py::"
ACCEPTING = "orders/test_orders_accepting.py::"
COUNT = "orders/test_order_count.py::"
NUMBERS = "dispatch/test_numbers.py::"
WATCHING = "dispatch/test_watching.py::"
REVERSING = "orders/test_reversing.py::"
PEOPLE = "settlement/test_settlement_people.py::"
RECEIVING = (
    "settlement/test_receiving.py::"
    "test_payout_that_is_not_in_the_bank_is_raised_and_clears_when_it_is"
)
HERE = "exceptions/test_provoked.py::"

IN_THEIR_ROOM = {
    "stock_line_refused": f"{PUBLISHING}test_parked_offer_is_sent_again_on_a_persons_word",
    "stock_import_stuck": f"{PUBLISHING}test_import_that_never_ends_is_given_up_raised_and_"
    "followed_by_fresh_figures",
    "publish_held": f"{PUBLISHING}test_mistaken_erp_publishes_nothing_until_a_person_says_so",
    "stock_feed_stale": f"{PUBLISHING}test_stale_feed_is_said_soft_then_hard_then_fresh_by_the_"
    "clock_alone",
    "offer_drifted": f"{PUBLISHING}test_foreign_writer_is_found_at_night_said_and_mended",
    "offer_inactive": f"{PUBLISHING}test_inactive_and_gone_offers_are_said_and_get_no_figure_"
    "when_gone",
    "acceptance_half_gone": f"{ACCEPTING}test_time_for_accepting_is_warned_raised_and_ended_by_"
    "the_policy",
    "acceptance_nearly_over": f"{ACCEPTING}test_time_for_accepting_is_warned_raised_and_ended_"
    "by_the_policy",
    "acceptance_refused": "orders/test_orders_intake.py::"
    "test_acceptance_that_is_refused_waits_for_a_person",
    "posting_refused": "orders/test_orders_posting.py::"
    "test_posting_that_never_arrives_is_not_given_up_in_silence",
    "reference_taken": "orders/test_orders_vanished.py::"
    "test_reference_that_somebody_else_has_now_is_not_the_order_found_again",
    "reference_not_written": f"{HERE}test_number_that_the_marketplace_does_not_take_is_told_"
    "until_it_is_written",
    "order_without_sales_order": f"{COUNT}test_order_that_stays_unposted_is_a_gap_until_it_is_"
    "posted",
    "sales_order_without_order": f"{COUNT}test_sales_order_of_our_source_without_an_order_is_a_"
    "gap",
    "order_unaccounted": f"{COUNT}test_order_that_nobody_waits_for_is_named",
    "order_unreadable": "orders/test_orders_intake.py::"
    "test_order_whose_skus_are_known_stops_their_stock_only",
    "sales_order_vanished": "orders/test_orders_vanished.py::"
    "test_sales_order_that_the_erp_has_lost_is_told_with_money_and_deadline",
    "carrier_gone": "dispatch/test_carriers.py::"
    "test_carrier_that_goes_is_on_the_desk_until_its_courier_is_mapped_anew",
    "tracking_missing": f"{NUMBERS}test_parcel_without_a_number_goes_as_the_merchant_has_it",
    "tracking_malformed": f"{NUMBERS}test_malformed_number_waits_for_a_person_who_says_send_it_"
    "as_it_is",
    "tracking_not_sent": f"{NUMBERS}test_new_number_that_is_refused_is_raised_and_given_up_"
    "then_retried",
    "parcel_unmatched": f"{HERE}test_parcel_that_holds_something_else_is_told_until_it_is_"
    "packed_anew",
    "confirmations_stopped": "dispatch/test_silence.py::"
    "test_six_hours_down_are_one_exception_with_a_count_then_all_are_caught_up",
    "cancelled_in_erp": "dispatch/test_dispatch_actor.py::"
    "test_order_cancelled_in_the_erp_is_said",
    "dispatch_at_risk": f"{WATCHING}test_order_is_at_risk_then_late_and_clears_when_it_is_"
    "confirmed",
    "dispatch_late": f"{WATCHING}test_order_is_at_risk_then_late_and_clears_when_it_is_"
    "confirmed",
    "seller_metric_near": f"{WATCHING}test_metric_near_its_threshold_is_raised_and_clears",
    "seller_metric_crossed": f"{WATCHING}test_metric_near_its_threshold_is_raised_and_clears",
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
    "shop_closed": "exceptions/test_tenant_conditions.py::"
    "test_closed_shop_is_raised_where_no_holiday_says_so",
    "certificate_changed": DECIDED,
    "posting_overdue": DECIDED,
    "reversal_differs": DECIDED,
    "unwanted_units_sent": "dispatch/test_cancelled_units.py::"
    "test_unit_that_was_refunded_to_stay_and_went_is_told_and_the_rest_is_confirmed",
}
"""No test makes the outside bring these about: the sandbox's shop is always open, for one.
Their rule is tried on its events alone. Nothing is to be added here.
"""
ONLY_DECIDED_MAX = 5

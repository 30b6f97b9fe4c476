"""Names of the fields that the contract knows, whether we read them or not.

Promises: a field of an answer that stands here is no surprise. It says nothing of where a name
belongs, or of its type. Invariant: names only, each once, in order.
Called by `unknown.py`. Source: contract johnlewis b, d.4.
"""

__all__ = ["CONTRACT_FIELDS"]

CONTRACT_FIELDS = frozenset(
    """
    acceptance_decision_date accepted accounting_contact accounting_document_creation_date
    accounting_document_id accounting_document_number active additional_fields
    additional_info address all all_prices allow_quote_requests amount amount_credited
    amount_debited amount_excl_taxes amount_transferred amount_transferred_to_operator
    amount_transferred_to_seller applicable_pricing applicable_taxes applied_promotions
    approval_delay approval_rate auto_refused_rate available_end_date available_ended
    available_start_date available_started average_cart balance billing_address can_cancel
    can_refund can_shop_ship cancelation_id cancelation_rate cancelations carrier_code
    carrier_name carrier_standard_code carrier_url carriers category_code category_label
    center channel channel_code channel_codes channel_pricing channels city civility
    click_and_collect closed_from closed_to code commercial_id commission_amount
    commission_fee commission_rate_vat commission_taxes commission_total_amount
    commission_vat company company_2 compliance compliant configuration
    consecutive_refused_orders_count country country_iso_code created_date creation_date
    currency currency_iso_code customer customer_debited customer_debited_date
    customer_directly_pays_seller customer_id customer_notification_email data date
    date_created date_created_from date_created_to date_uploaded debit debited_date
    deduced_amount delete deletion_errors delivery_by_operator delivery_contact
    delivery_date description detail details disable_seller_alternative_carrier discount
    discount_campaign discount_campaigns discount_end_date discount_period_required
    discount_start_date document_id document_ids document_request_id documents domain
    domains drop_ship due_date earliest eco_contributions editable enabled end_date
    end_time end_update_date enhanced_seller_invoicing entities entity entity_id
    entity_type error errors errors_count excluded_from_shipment export_type
    failure_reason favorite_rank features fee fee_operator_remitted fee_types fees field
    file file_name file_size files firstname format fulfillment fulfillment_center_code
    fully_refunded has_customer_message has_error_report has_incident has_invoice id
    ignore_lead_time_to_ship import_id import_mode imprint_number inactivity_reasons
    incident_rate include_fields include_inactive_offers internal_description
    invoice_details invoice_id invoice_reference invoices is_shop_right issue_date
    issuer_type issuing_user_types item items items_per_chunk key kyc label label_url
    last_request_date last_updated last_updated_date last_updated_from last_updated_to
    lastname late_shipment_rate latest lead_time_to_ship
    lead_time_to_ship_by_sellers_enabled leadtime_to_ship limit line lines_in_error
    lines_in_pending lines_in_success lines_read locale logistic_class mandatory_tracking
    manual_accounting_document marketplace max max_order_quantity measurement
    megabytes_per_chunk message method_code milestones min min_order_quantity
    min_quantity_alert min_shipping_price min_shipping_price_additional min_shipping_type
    min_shipping_zone mirakl mode model msrp multi_part_item_shipment multi_shipment net
    next_page_token no_customer_payment_confirmation non_compliance_additional_info
    non_compliance_reason_code non_payable_orders notification number offer
    offer_additional_fields offer_deleted offer_id offer_inserted offer_prices_decimals
    offer_sku offer_state_code offer_state_codes offer_states offer_updated offers
    offers_count offers_in_error offers_updated offset one_creditor one_off_item
    only_null_channel operation_date operator_csv_delimiter operator_format
    operator_internal_id operator_paid_shipping_charges operator_remitted_taxes order
    order_acceptance order_additional_fields order_commercial_id order_documents order_fee
    order_id order_ids order_line order_line_additional_fields order_line_id
    order_line_index order_line_state order_line_state_reason_code
    order_line_state_reason_label order_lines order_messages_response_delay
    order_reference_for_customer order_reference_for_seller order_references_for_customer
    order_references_for_seller order_refund_id order_refunds order_state
    order_state_codes order_state_reason_code order_state_reason_label order_tax
    order_tax_mode order_taxes order_update_errors order_update_result order_workflows
    orders orders_count organization origin origin_unit_amount origin_unit_price
    other_credits other_invoices other_reference package_quantity package_reference
    page_token paginate paid_balance pause_debit_workflow pay_on_due_date pay_on_shipment
    pay_out pay_out_psp_code pay_out_psp_codes pay_out_state payable_balance
    payable_orders payment paymentType payment_confirmation payment_details
    payment_duration payment_info payment_state payment_status payment_terms payment_type
    payment_voucher_number payment_workflow pending_balance period phone phone_secondary
    platform_configuration platform_model platform_name previous previous_page_token price
    price_additional_info price_unit pricing pricing_channel_code pricing_unit
    product_brand product_description product_id product_id_type product_import_id
    product_medias product_references product_shop_sku product_sku product_tax_code
    product_title promotions psp_balance purchase_commission_on_shipping
    purchase_information purchase_price purchase_shipping_price purchase_tax
    purchase_taxes quantity quantity_threshold quote_id rate reason_code reason_status
    reasons received_date reference reference_type references refund refund_commissions
    refund_fee refund_fee_operator_remitted refund_id refund_non_payable_orders
    refund_operator_paid_shipping_charges refund_operator_remitted_taxes refund_orders
    refund_payable_orders refund_purchase_taxes refund_rate refund_state refunds
    rejection_reason_code required reserve_balance reserve_target response retail_prices
    return_address return_errors return_id return_lines return_rate return_rma
    return_state return_success return_window returnable_quantity returns rma
    seller_billing_cycle_id seller_fees_on_orders seller_penalty_fees
    sellers_edit_shipping_origin shipment shipment_additional_information
    shipment_customer_debit_state_code shipment_errors shipment_id shipment_lines
    shipment_state_code shipment_success shipment_update_errors shipment_update_success
    shipments shipped shipped_date shipping shipping_address shipping_amount
    shipping_and_billing_details_before_acceptance shipping_carrier_code
    shipping_carrier_standard_code shipping_company shipping_date shipping_deadline
    shipping_delay shipping_from shipping_price shipping_pudo_id shipping_taxes
    shipping_tracking shipping_tracking_url shipping_type_code shipping_type_label
    shipping_type_standard_code shipping_types shipping_zone_code shipping_zone_label shop
    shop_address shop_billing_cycle_id shop_corporate_name shop_id shop_model shop_name
    shop_operator_internal_id shop_sku shop_state shop_tax shop_tax_number sku sort
    standard_code start_date start_time start_update_date state state_code status
    status_customer_debit street1 street_1 street_2 sub_balances summary suspension_type
    tax_calculation_rule tax_legal_notice taxes tenant_name timezone total_amount
    total_amount_excl_taxes total_amount_incl_taxes total_charged_amount total_commission
    total_commissions_excl_tax total_commissions_incl_tax total_count total_deduced_amount
    total_operator_remitted_taxes total_other_credits_incl_tax
    total_other_invoices_incl_tax total_payable_orders_excl_tax
    total_payable_orders_incl_tax total_price total_refund_commissions_excl_tax
    total_refund_commissions_incl_tax total_refund_payable_orders_excl_tax
    total_refund_payable_orders_incl_tax total_revenue
    total_seller_fees_on_orders_incl_tax total_seller_penalty_fees_incl_tax
    total_subscription_excl_tax total_subscription_incl_tax total_taxes tracking
    tracking_id tracking_number tracking_url transaction_date transaction_date_from
    transaction_date_to transaction_info transaction_number transaction_type type
    type_code unit_discount_price unit_origin_price unit_price update_delete updated
    updated_orders urls uuid valid_tracking_rate validity_status value volume_prices
    volume_pricing warehouse warehouses with_products zip_code
    """.split()  # noqa: SIM905 - five hundred names are read and compared as text
)

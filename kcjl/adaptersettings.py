"""What stands in the file, as each adapter wants it, with its secret fetched.

Promises: every field of an adapter's settings is named here once; a secret that is missing is
told with its variable or its file. It opens nothing else.
Called by `service.py`.
"""

import ssl
from pathlib import Path

from kcjl.alerts.alert_settings import EmailSection, WebhookSection, checked_url
from kcjl.alerts.email import EmailAccess
from kcjl.alerts.webhook import WebhookAccess
from kcjl.discretion import Secret
from kcjl.errors import SettingsUnusable
from kcjl.johnlewis.access import SellerApiSettings
from kcjl.khaos.cloud_settings import CloudSettings
from kcjl.khaos.kws_settings import KwsSettings
from kcjl.khaos.port import DeliveryAddress
from kcjl.ledger.ledger_settings import XeroSection
from kcjl.ledger.xero_access import XeroAccess
from kcjl.settings import JohnLewisSettings, KhaosSettings, secret

__all__ = [
    "cloud_settings",
    "email_access",
    "kws_settings",
    "seller_api_settings",
    "webhook_access",
    "xero_access",
]


def seller_api_settings(
    settings: JohnLewisSettings, *, stock_lines_max: int
) -> SellerApiSettings:
    return SellerApiSettings(
        base_url=settings.base_url,
        api_key=secret(
            env=settings.api_key_env, file=settings.api_key_file, what="johnlewis api key"
        ),
        shop_id=settings.shop_id,
        external_partner=settings.external_partner,
        allow_plain_http=settings.allow_plain_http,
        export_hosts=settings.export_hosts,
        export_age_s_max=settings.export_age_s_max,
        authorization=settings.authorization,
        currency_default=settings.currency_default,
        rates_are_percent=settings.rates_are_percent,
        offers_a_call_max=settings.offers_a_call_max,
        retry_after_default_s=settings.retry_after_default_s,
        stock_lines_max=stock_lines_max,
    )


def cloud_settings(settings: KhaosSettings) -> CloudSettings:
    section = settings.cloud
    return CloudSettings(
        user=section.user,
        password=secret(
            env=section.password_env, file=section.password_file, what="khaos cloud password"
        ),
        host=section.host,
        port=section.port,
        certificate_file=section.certificate_file,
        key_file=section.key_file,
        public_url=section.public_url,
        format=section.format,
        frequency_minutes=section.frequency_minutes,
        fetched_within_minutes=section.fetched_within_minutes,
        status_within_minutes=section.status_within_minutes,
        silent_after_minutes=section.silent_after_minutes,
        orders_per_answer=section.orders_per_answer,
        body_bytes_max=section.body_bytes_max,
        requests_per_minute=section.requests_per_minute,
        keep_days=section.keep_days,
        max_external_ref=settings.max_external_ref,
        order_ref_format=section.order_ref_format,
        site_id=section.site_id,
        site_name=settings.site_name,
        company_code=settings.company_code,
        company_class=settings.company_class,
        sales_source=settings.sales_source,
        clearing_account=settings.clearing_account,
        courier_code=settings.courier_code,
        couriers=settings.couriers,
        include_email=settings.include_email,
        problem_items=section.problem_items,
        invoice_address=_invoice_address(settings),
        add_buildable=section.add_buildable,
    )


def _invoice_address(settings: KhaosSettings) -> DeliveryAddress:
    address = settings.invoice_address
    return DeliveryAddress(
        line1=address.line1,
        town=address.town,
        postcode=address.postcode,
        country_code=address.country_code,
        surname=address.surname,
    )


def kws_settings(settings: KhaosSettings) -> KwsSettings:
    password = (
        secret(env=settings.password_env, file=settings.password_file, what="khaos password")
        if settings.auth != "none"
        else ""
    )
    return KwsSettings(
        url=settings.base_url,
        auth=settings.auth,
        user=settings.user,
        password=password,
        auth_parameter=settings.auth_parameter,
        certificate_sha256=settings.certificate_sha256,
        allow_plain_http=settings.allow_plain_http,
        connect_timeout_s=settings.connect_timeout_s,
        read_timeout_s=settings.read_timeout_s,
        product_codes_per_call=settings.codes_per_call,
        stock_codes_per_call=settings.codes_per_call,
        order_refs_per_call=settings.codes_per_call,
        compression=settings.compression,
        flags_as=settings.flags_as,
        characters=settings.characters,
        other_text=settings.other_text,
        add_buildable=settings.add_buildable,
        fold_packs=settings.fold_packs,
        max_external_ref=settings.max_external_ref,
        company_code=settings.company_code,
        company_class=settings.company_class,
        company_name=settings.company_name,
        invoice_address=_invoice_address(settings),
        clearing_account=settings.clearing_account,
        sales_source=settings.sales_source,
        site_name=settings.site_name,
        courier_code=settings.courier_code,
        couriers=settings.couriers,
        include_email=settings.include_email,
    )


def xero_access(section: XeroSection) -> XeroAccess:
    """Raises SettingsUnusable, too, for a file of the secret that others can read."""
    what, file = "xero client secret", section.client_secret_file
    client_secret = secret(env=section.client_secret_env, file=file, what=what)
    if file and Path(file).stat().st_mode & 0o077:
        raise SettingsUnusable(f"{what}: {file} can be read by others: chmod 600 {file}")
    return XeroAccess(
        base_url=section.base_url,
        token_url=section.token_url,
        client_id=section.client_id,
        client_secret=client_secret,
        scope=section.scope,
        refresh_token_file=section.refresh_token_file,
        tenant_id=section.tenant_id,
        post_as=section.post_as,
        line_amounts=section.line_amounts,
        tax_types=section.tax_types,
        currency=section.currency,
    )


def email_access(section: EmailSection) -> EmailAccess:
    password, tls = Secret(), None
    if section.user:
        file = section.password_file
        password = secret(env=section.password_env, file=file, what="alert email password")
    if section.ca_file:
        try:
            tls = ssl.create_default_context(cafile=section.ca_file)
        except OSError as error:  # an SSLError is one
            why = error.strerror or error
            raise SettingsUnusable(f"alerts ca_file: {section.ca_file}: {why}") from None
    return EmailAccess(
        host=section.host,
        port=section.port,
        security=section.security,
        sender=section.sender,
        user=section.user,
        password=password,
        timeout_s=section.timeout_s,
        tls=tls,
    )


def webhook_access(section: WebhookSection) -> WebhookAccess:
    url = secret(env=section.url_env, file=section.url_file, what="alert web hook address")
    key = secret(env=section.secret_env, file=section.secret_file, what="alert web hook secret")
    try:
        checked_url(url)
    except ValueError as error:
        raise SettingsUnusable(f"alert web hook address: {error}") from None
    return WebhookAccess(url=url, secret=key, timeout_s=section.timeout_s)

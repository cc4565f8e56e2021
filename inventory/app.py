"""The application: services, interface, console and guards put together. Opens nothing by itself but what it is given."""

from __future__ import annotations

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from inventory import console
from inventory.api import install as api
from inventory.api import problems
from inventory.api.bodies import MAX_AGENT_BODY
from inventory.api.quick import Quick
from inventory.auth import headers, web
from inventory.clock import Clock, SystemClock
from inventory.oidc import require_library
from inventory.services import setup
from inventory.services.context import Context
from inventory.settings import Settings


def create_app(settings: Settings, *, clock: Clock | None = None, context: Context | None = None) -> Flask:
    """Makes the WSGI application.

    Args:
        settings: The service's settings.
        clock: Where the time comes from; the machine's by default.
        context: An inventory that is open already; otherwise the one `settings` names is opened.

    Raises:
        SetupError: Not initialised, of another schema, keys are missing, or documents cannot be printed as set.
        LogRefused: Database and log guard contradict each other.
    """
    opened = context or setup.open_inventory(settings, clock or SystemClock())
    if opened.settings.sso is not None:
        require_library()
        opened.settings.sso.client_secret()
    _ = opened.settings.brand  # a logo that cannot be printed is found now, not when a certificate is due
    app = Flask(__name__, static_folder=None, template_folder=None)
    app.config.update(MAX_CONTENT_LENGTH=MAX_AGENT_BODY, MAX_FORM_PARTS=200, MAX_FORM_MEMORY_SIZE=1_000_000)
    app.url_map.strict_slashes = True
    app.url_map.merge_slashes = False
    web.install(app, opened)
    api.install(app, opened.settings.external_url)
    console.install(app)
    problems.install(app, console.render_problem)
    cacheable = api.CACHEABLE | console.STATIC_ENDPOINTS
    headers.install(
        app,
        secure=opened.settings.is_tls,
        cacheable=lambda endpoint: endpoint in cacheable,
    )
    app.wsgi_app = Quick(app.wsgi_app, opened, web.addresses(app))  # type: ignore[method-assign]  # the way Flask documents
    if opened.settings.trusted_proxies:
        # Only the client's address is believed: our own names come from the settings, never from a header.
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]  # the way Flask documents to wrap an application
            app.wsgi_app, x_for=opened.settings.trusted_proxies, x_proto=0, x_host=0, x_port=0, x_prefix=0
        )
    return app

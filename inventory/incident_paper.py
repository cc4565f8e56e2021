"""Prints the report of a missing medium as PDF. Renders and decides nothing; needs Pango, as documents do.

It is no signed document: it tells what the service knows at the moment it is printed, and says so on every page.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Final

from jinja2 import Environment, StrictUndefined, Template

from inventory.labelling import printed
from inventory.services.kernel import stamp
from inventory.services.views.exposure import IncidentView
from reports.statements import Organization
from reports.times import day_for_people, for_people

_PAGE: Final = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Incident report {{ incident.device }}</title>
<style>
@page { size: 210mm 297mm; margin: 18mm 18mm 20mm;
  @bottom-left { content: "Not a signed document. Printed {{ printed }}"; font: 8pt "DejaVu Sans", sans-serif; color: #555 }
  @bottom-right { content: counter(page) " / " counter(pages); font: 8pt "DejaVu Sans", sans-serif; color: #555 } }
body { font: 10pt/1.45 "DejaVu Sans", sans-serif; color: #16263a; margin: 0 }
h1 { font-size: 17pt; margin: 0 0 1mm } h2 { font-size: 11.5pt; margin: 7mm 0 2mm; break-after: avoid }
.soft { color: #555 } .answer { border-left: 1.2mm solid #9c2b1f; padding: 2.5mm 4mm; margin: 5mm 0; background: #faf3f2 }
table { border-collapse: collapse; width: 100%; font-size: 9pt } tr { break-inside: avoid }
th, td { text-align: left; vertical-align: top; padding: 1.4mm 2mm 1.4mm 0; border-bottom: .2mm solid #ccd3d9 }
th { font-weight: 600 } thead th { color: #555 } td, th { overflow-wrap: anywhere } .key th { width: 48mm }
</style></head><body>
<p class="soft">{{ organization.name }}{% if organization.contact %} · {{ organization.contact }}{% endif %}</p>
<h1>Incident: a medium is missing</h1>
<p class="soft">{{ incident.label }}{% if incident.asset_tag %} · {{ incident.asset_tag }}{% endif %} · {{ incident.device }}</p>
<div class="answer"><strong>{{ incident.sentence }}</strong>{% if incident.found %}<br>It was found again on
{{ incident.found|time }}.{% endif %}{% if incident.cases or incident.data_sets %}<br>Where people's data is at risk, the
authority has to hear of it by {{ incident.authority_by|time }} (GDPR, Article 33).{% endif %}</div>
<h2>What happened</h2>
<table class="key">
<tr><th>Reported missing</th><td>{{ incident.reported|time }}, by {{ name(incident.reported_by) }}</td></tr>
<tr><th>Why</th><td>{{ incident.reason }}</td></tr>
<tr><th>State now</th><td>{{ incident.state|replace("_", " ") }}</td></tr>
<tr><th>Last seen by an agent</th><td>{% if incident.last_seen %}{{ incident.last_seen|time }}, on {{ incident.last_host_name }}
({{ incident.last_host }}) as {{ incident.last_path }}{% else %}never{% endif %}</td></tr>
<tr><th>Place</th>
<td>{% if incident.place %}{{ incident.place_name }} ({{ incident.place }}){% else %}not known{% endif %}</td></tr>
<tr><th>What locked it</th><td>{{ incident.locks|join("; ") or "nothing an agent has seen" }}</td></tr>
</table>
<h2>What it held</h2>
{% if incident.data_sets %}<table><thead><tr><th>Data set</th><th>Confidentiality</th><th>On it</th><th>From, until</th>
<th>Encrypted</th><th>Keys held by</th></tr></thead>{% for one in incident.data_sets %}<tr><td>{{ one.name }}<br>
<span class="soft">{{ one.data_set }}</span></td><td>{{ one.category }}</td><td>{{ one.kind }}, {{ one.state }}</td>
<td>{{ one.since|day }}, {% if one.until %}{{ one.until|day }}{% else %}still{% endif %}</td><td>{{ one.encryption }}</td>
<td>{{ one.key_holder or "nobody has said" }}</td></tr>{% endfor %}</table>
{% else %}<p>Nothing uncovered is known to be on it. Where no agent looked and nobody said, that is no comfort.</p>{% endif %}
<h2>Customers who withdrew</h2>
{% if incident.cases %}<table><thead><tr><th>Case</th><th>Reference</th><th>Due</th><th>State</th></tr></thead>
{% for case in incident.cases %}<tr><td>{{ case.id }}</td><td>{{ case.reference }}</td><td>{{ case.due|day }}</td>
<td>{{ case.state }}</td></tr>{% endfor %}</table>
{% else %}<p>No open case concerns it that the reader of this report may see. Customers who have not withdrawn may still have data
on it.</p>{% endif %}
{% if incident.escrows %}<h2>Its passwords in custody</h2><table><thead><tr><th>Number</th><th>State</th><th>Deposited</th>
<th>Seen by</th></tr></thead>{% for one in incident.escrows %}<tr><td>{{ one.id }}</td><td>{{ one.state|replace("_", " ") }}</td>
<td>{{ one.deposited|day }}</td><td>{{ name(one.revealed_to) if one.revealed_to else "nobody" }}</td></tr>{% endfor %}</table>
{% endif %}
</body></html>"""


@cache
def _template() -> Template:
    found = Environment(autoescape=True, undefined=StrictUndefined)
    found.filters["time"] = lambda moment: for_people(stamp(moment))
    found.filters["day"] = lambda moment: day_for_people(stamp(moment))
    return found.from_string(_PAGE)


def page(incident: IncidentView, organization: Organization, name: Callable[[str], str], now: datetime) -> str:
    """The report as HTML, which is what is tested cheaply."""
    return _template().render(incident=incident, organization=organization, name=name, printed=for_people(stamp(now)))


def paper(incident: IncidentView, organization: Organization, name: Callable[[str], str], now: datetime) -> bytes:
    """The report on A4. Raises `RenderingUnavailable`."""
    return printed(page(incident, organization, name, now))

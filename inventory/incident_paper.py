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
from reports.language import Language, speaker
from reports.statements import Organization

_NO_SIZE: Final = ", size unknown"
"""How a label of a medium ends whose capacity nobody knows."""
_PAGE: Final = """<!doctype html><html lang="{{ language }}"><head><meta charset="utf-8">
<title>{{ say("incident.page-title", device=incident.device) }}</title>
<style>
@page { size: 210mm 297mm; margin: 18mm 18mm 20mm;
  @bottom-left { content: "{{ say("incident.not-signed", moment=printed) }}"; font: 8pt "DejaVu Sans", sans-serif; color: #555 }
  @bottom-right { content: counter(page) " / " counter(pages); font: 8pt "DejaVu Sans", sans-serif; color: #555 } }
body { font: 10pt/1.45 "DejaVu Sans", sans-serif; color: #16263a; margin: 0 }
h1 { font-size: 17pt; margin: 0 0 1mm } h2 { font-size: 11.5pt; margin: 7mm 0 2mm; break-after: avoid }
.soft { color: #555 } .answer { border-left: 1.2mm solid #9c2b1f; padding: 2.5mm 4mm; margin: 5mm 0; background: #faf3f2 }
table { border-collapse: collapse; width: 100%; font-size: 9pt } tr { break-inside: avoid }
th, td { text-align: left; vertical-align: top; padding: 1.4mm 2mm 1.4mm 0; border-bottom: .2mm solid #ccd3d9 }
th { font-weight: 600 } thead th { color: #555 } td { overflow-wrap: anywhere } .key th { width: 48mm }
.held td:nth-child(2) { overflow-wrap: normal }
</style></head><body>
<p class="soft">{{ organization.name }}{% if organization.contact %} · {{ organization.contact }}{% endif %}</p>
<h1>{{ say("incident.title") }}</h1>
<p class="soft">{{ label(incident.label) }}
{%- if incident.asset_tag %} · {{ incident.asset_tag }}{% endif %} · {{ incident.device }}</p>
<div class="answer"><strong>{{ choice("incident.readable", incident.readable) }}</strong>
{% if incident.found %}<br>{{ say("incident.found", moment=incident.found|time) }}{% endif %}
{% if incident.cases or incident.data_sets %}<br>{{ say("incident.authority", moment=incident.authority_by|time) }}
{%- endif %}</div>
<h2>{{ say("incident.happened") }}</h2>
<table class="key">
<tr><th>{{ say("incident.row-reported") }}</th>
<td>{{ say("incident.reported", moment=incident.reported|time, name=name(incident.reported_by)) }}</td></tr>
<tr><th>{{ say("incident.row-why") }}</th><td>{{ incident.reason }}</td></tr>
<tr><th>{{ say("incident.row-state") }}</th><td>{{ choice("incident.state", incident.state) }}</td></tr>
<tr><th>{{ say("incident.row-seen") }}</th><td>{% if incident.last_seen %}
{{ say("incident.seen", moment=incident.last_seen|time,
name=incident.last_host_name, host=incident.last_host, path=incident.last_path) }}
{%- else %}{{ say("incident.never") }}{% endif %}</td></tr>
<tr><th>{{ say("incident.row-place") }}</th><td>{% if incident.place %}{{ incident.place_name }} ({{ incident.place }})
{%- else %}{{ say("incident.not-known") }}{% endif %}</td></tr>
<tr><th>{{ say("incident.row-locks") }}</th><td>{% if incident.locks %}<span lang="en">{{ incident.locks|join("; ") }}</span>
{%- else %}{{ say("incident.locks-none") }}{% endif %}</td></tr>
</table>
<h2>{{ say("incident.held") }}</h2>
{% if incident.data_sets %}<table class="held"><thead><tr><th>{{ say("incident.column-data-set") }}</th>
<th>{{ say("incident.column-category") }}</th>
<th>{{ say("incident.column-on-it") }}</th><th>{{ say("incident.column-from") }}</th>
<th>{{ say("incident.column-encrypted") }}</th>
<th>{{ say("incident.column-keys") }}</th></tr></thead>{% for one in incident.data_sets %}<tr><td>{{ one.name }}<br>
<span class="soft">{{ one.data_set }}</span></td><td>{{ choice("incident.category", one.category) }}</td>
<td>{{ speaker.word("holding", one.kind|string, one.kind) }}, {{ choice("incident.holding", one.state) }}</td>
<td>{{ one.since|day }}, {% if one.until %}{{ one.until|day }}{% else %}{{ say("incident.still") }}{% endif %}</td>
<td>{{ choice("incident.encryption", one.encryption) }}</td>
<td>{{ one.key_holder or say("incident.nobody-said") }}</td></tr>{% endfor %}</table>
{% else %}<p>{{ say("incident.held-none") }}</p>{% endif %}
<h2>{{ say("incident.customers") }}</h2>
{% if incident.cases %}<table><thead><tr><th>{{ say("incident.column-case") }}</th>
<th>{{ say("incident.column-reference") }}</th>
<th>{{ say("incident.column-due") }}</th><th>{{ say("incident.column-state") }}</th></tr></thead>
{% for case in incident.cases %}<tr><td>{{ case.id }}</td><td>{{ case.reference }}</td><td>{{ case.due|day }}</td>
<td>{{ choice("incident.case", case.state) }}</td></tr>{% endfor %}</table>
{% else %}<p>{{ say("incident.customers-none") }}</p>{% endif %}
{% if incident.escrows %}<h2>{{ say("incident.custody") }}</h2><table><thead><tr><th>{{ say("incident.column-number") }}</th>
<th>{{ say("incident.column-state") }}</th><th>{{ say("incident.column-deposited") }}</th>
<th>{{ say("incident.column-seen-by") }}</th></tr></thead>
{% for one in incident.escrows %}<tr><td>{{ one.id }}</td><td>{{ choice("incident.custody", one.state) }}</td>
<td>{{ one.deposited|day }}</td><td>{{ name(one.revealed_to) if one.revealed_to else say("incident.nobody") }}</td></tr>
{% endfor %}</table>
{% endif %}
</body></html>"""


@cache
def _template(language: Language) -> Template:
    voice = speaker(language)

    def choice(beginning: str, value: str) -> str:
        """A word of a vocabulary; one of a newer release stands as it is written."""
        try:
            return voice.say(f"{beginning}-{value}")
        except KeyError:
            return value.replace("_", " ")

    def label(text: str) -> str:
        """What a medium is called; that nobody knows its size is said in the language too."""
        known = text.removesuffix(_NO_SIZE)
        return text if known == text else f"{known}, {voice.say('incident.size-unknown')}"

    found = Environment(autoescape=True, undefined=StrictUndefined)
    found.globals |= {"language": language, "speaker": voice, "say": voice.say, "choice": choice, "label": label}
    found.filters["time"] = lambda moment: voice.moment(stamp(moment))
    found.filters["day"] = lambda moment: voice.day(stamp(moment))
    return found.from_string(_PAGE)


def page(
    incident: IncidentView,
    organization: Organization,
    name: Callable[[str], str],
    now: datetime,
    language: Language = "en",
) -> str:
    """The report as HTML, which is what is tested cheaply."""
    printed_at = speaker(language).moment(stamp(now))
    return _template(language).render(incident=incident, organization=organization, name=name, printed=printed_at)


def paper(
    incident: IncidentView,
    organization: Organization,
    name: Callable[[str], str],
    now: datetime,
    language: Language = "en",
) -> bytes:
    """The report on A4. Raises `RenderingUnavailable`."""
    return printed(page(incident, organization, name, now, language))

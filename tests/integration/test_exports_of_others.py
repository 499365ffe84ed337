"""The history that another tracker exported comes in: its events as events, once, and nobody's identity."""

from __future__ import annotations

import gzip
import os
import zipfile
from pathlib import Path
from typing import Any

import pytest

from glimpse import cli
from glimpse.events import Event, Session
from glimpse.store import QUESTIONS, DuckStore
from glimpse.store.questions import Scope, Tables
from glimpse.transfer.readers import VENDORS

UMAMI = """\
website_id,session_id,visit_id,event_id,hostname,browser,os,device,screen,language,country,region,city,url_path,\
url_query,utm_source,utm_medium,utm_campaign,referrer_path,referrer_domain,page_title,event_type,event_name,tag,\
distinct_id,created_at
w,p1,v1,e1,shop.example,crios,iOS,mobile,390x844,de-DE,DE,DE-BE,Berlin,/,utm_source=news&utm_medium=email,news,email,,\
/a,www.google.com,"Home, sweet",1,,blue,jane@example.com,2026-03-01 10:00:00
w,p1,v1,e2,shop.example,crios,iOS,mobile,390x844,de-DE,DE,DE-BE,Berlin,/cart,,,,,/,shop.example,Cart,2,add_to_cart,,\
jane@example.com,2026-03-01 10:01:00
w,p1,v2,e3,shop.example,crios,iOS,mobile,390x844,de-DE,DE,DE-BE,Berlin,/,,,,,,,Home,1,,,,2026-03-02T09:00:00Z
w,p1,v2,e4,shop.example,crios,iOS,mobile,390x844,de-DE,DE,DE-BE,Berlin,/,,,,,,,Home,1,,,,yesterday
w,p1,v2,e5,shop.example,crios,iOS,mobile,390x844,de-DE,DE,DE-BE,Berlin,/,,,,,,,Home,2,,,,2026-03-02T09:00:00Z
w,p1,short
"""
GOATCOUNTER = """\
2Path,Title,Event,UserAgent,Browser,System,Session,Bot,Referrer,Referrer scheme,Screen size,Location,FirstVisit,Date
/,"Home
page",false,a secret,Chrome 120,Mac OS 10.15,s1,0,www.google.com/search,h,"1280,720,2",KR-11,true,2026-03-01T10:00:00Z
/,Home,false,a secret,Chrome 120,Mac OS 10.15,s1,0,,,"1280,720,2",KR-11,false,2026-03-01T10:00:05Z
/,Home,false,a secret,Chrome 120,Mac OS 10.15,s1,0,,,"1280,720,2",KR-11,false,2026-03-01T10:00:05Z
buy,Buy,true,a secret,Firefox,Linux,s2,0,Hacker News,g,,DE,true,2026-03-01T11:00:00Z
/,Home,false,Bot/1.0,,,s3,3,,,,DE,true,2026-03-01T11:00:00Z
/,Home,maybe,,,,s4,0,,,,DE,true,2026-03-01T11:00:00Z
/,Home,false,,,,,0,spring,c,,,true,2026-03-01T12:00:00Z
"""


PLAUSIBLE = {
    "imported_visitors_20260301_20260302.csv": """\
"date","visitors","pageviews","bounces","visits","visit_duration"
"2026-03-01",5,9,2,6,300
"2026-03-02",7,8,3,7,0
"02.03.2026",7,8,3,7,0
""",
    "imported_sources_20260301_20260302.csv": """\
"date","source","referrer","utm_source","utm_medium","utm_campaign","utm_content","utm_term","pageviews","visitors",\
"visits","visit_duration","bounces"
"2026-03-01","Google","google.com","","","","","",4,3,3,100,1
"2026-03-01","Google","google.com","news","email","","","",1,1,1,10,0
"2026-03-01","","","","","","","",4,many,1,10,0
""",
    "imported_entry_pages_20260301_20260302.csv": """\
"date","entry_page","visitors","entrances","visit_duration","bounces","pageviews"
"2026-03-01","/",5,6,300,2,9
""",
    "imported_locations_20260301_20260302.csv": """\
"date","country","region","city","visitors","visits","visit_duration","bounces","pageviews"
"2026-03-01","DE","DE-BE",2950159,3,3,100,1,4
"2026-03-01","FR","",0,2,3,200,1,5
""",
    "imported_custom_events_20260301_20260302.csv": """\
"date","name","link_url","path","visitors","events"
"2026-03-02","Outbound Link: Click","https://a.example/","",2,3
"2026-03-02","Outbound Link: Click","https://b.example/","",1,1
""",
}


def imported(folder: Path, dimension: str = "day") -> list[tuple[Any, ...]]:
    store = DuckStore.open(folder)
    try:
        scope = Scope(Tables(store.tables["events"], store.tables["sessions"], store.tables["imported_totals"]), "shop")
        rows = store.rows(QUESTIONS["imported"].expression(scope, {"dimension": dimension}))
        return [tuple(row[name] for name in ("value", "visitors", "visits", "page_views", "events")) for row in rows]
    finally:
        store.close()


def run(folder: Path, *arguments: object) -> int:
    os.environ["GLIMPSE_DATA_DIR"] = str(folder)
    try:
        return cli.main([str(argument) for argument in arguments])
    finally:
        del os.environ["GLIMPSE_DATA_DIR"]


def stored(folder: Path) -> tuple[list[Event], list[Session]]:
    store = DuckStore.open(folder)
    try:
        rows = sorted(store.recent_events(0, 1000), key=lambda row: (row.time, row.name))
        return rows, sorted(store.recent_sessions(0), key=lambda one: one.started_at)
    finally:
        store.close()


def test_umamis_events_come_in_once_and_without_who_it_was(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file = tmp_path / "website_event.csv"
    file.write_text(UMAMI)
    data = tmp_path / "data"
    assert run(data, "import", file, "--project", "shop") == 1
    said = capsys.readouterr().out
    assert "3 rows are new, 0 were there, 3 have a fault" in said
    assert "line 5: created_at must be a time in ISO 8601; it is 'yesterday'" in said
    assert "line 6: event_name is missing" in said
    assert "line 7: it has 3 columns, the head has 26" in said
    first, added, later = stored(data)[0]
    assert (first.name, first.page, first.url, first.title) == (
        "page_view",
        "/",
        "https://shop.example/",
        "Home, sweet",
    )
    assert (first.source, first.channel, first.referrer) == ("news", "email", "https://www.google.com/a")
    assert (first.browser, first.os, first.device, first.screen) == ("Chrome", "iOS", "phone", "390x844")
    assert (first.country, first.city, first.context) == ("DE", "Berlin", {"regionCode": "DE-BE", "tag": "blue"})
    assert (added.name, added.page, added.source) == ("add_to_cart", "/cart", None)
    assert first.session_id == added.session_id != later.session_id
    assert "jane" not in repr(stored(data))
    before = stored(data)
    assert [(one.pages, one.interactions) for one in before[1]] == [(1, 1), (1, 0)]
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
        archive.write(file, "website_event.csv")
        archive.writestr("event_data.csv", "event_id,data_key\ne1,price\n")
    assert run(data, "import", tmp_path / "export.zip", "--project", "shop", "--from", "umami") == 1
    assert "0 rows are new, 3 were there, 3 have a fault" in capsys.readouterr().out
    assert stored(data) == before


def test_goatcounters_hits_come_in_once_without_bots_and_user_agents(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    file = tmp_path / "goatcounter.csv.gz"
    file.write_bytes(gzip.compress(GOATCOUNTER.encode()))
    data = tmp_path / "data"
    assert run(data, "import", file, "--project", "shop") == 1
    said = capsys.readouterr().out
    assert "5 rows are new, 0 were there, 1 have a fault" in said
    assert "1 rows of bots were left out" in said
    assert "line 8: Event must be true or false; it is 'maybe'" in said
    rows, sessions = stored(data)
    first, again, twin, bought, alone = rows
    assert (first.page, first.title, first.browser, first.os) == ("/", "Home\npage", "Chrome", "macOS")
    assert (first.source, first.channel, first.screen) == ("google", "search", "1280x720")
    assert (first.country, first.context) == ("KR", {"regionCode": "KR-11"})
    assert (again.time, again.session_id) == (twin.time, twin.session_id)
    assert again.id != twin.id
    assert (bought.name, bought.page, bought.source) == ("buy", None, "hacker news")
    assert (alone.utm_source, alone.channel) == ("spring", "campaign")
    assert [one.pages for one in sessions] == [3, 0, 1]
    assert "secret" not in repr((rows, sessions))
    assert run(data, "import", file, "--project", "shop") == 1
    assert "0 rows are new, 5 were there" in capsys.readouterr().out
    assert stored(data) == (rows, sessions)


def test_plausibles_totals_stay_totals_and_a_back_up_has_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    with zipfile.ZipFile(tmp_path / "shop_example.zip", "w") as archive:
        for name, text in PLAUSIBLE.items():
            archive.writestr(name, text)
    data, again = tmp_path / "data", tmp_path / "again"
    assert run(data, "import", tmp_path / "shop_example.zip", "--project", "shop") == 1
    said, progress = capsys.readouterr()
    rows = sum(text.count("\n") - 1 for text in PLAUSIBLE.values())  # with fewer, the bar went past its end
    assert f" {rows}/{rows} [" in progress
    assert "15 rows are new, 0 were there, 2 have a fault" in said
    assert (
        "line 4: imported_visitors_20260301_20260302.csv: date must be a day such as 2026-03-01; it is '02.03" in said
    )
    assert (
        "line 4: imported_sources_20260301_20260302.csv: visitors must be a whole number, 0 or more; it is 'm" in said
    )
    assert run(data, "import", tmp_path / "shop_example.zip", "--project", "shop") == 1
    assert "0 rows are new, 15 were there, 2 have a fault" in capsys.readouterr().out
    assert run(data, "export", "--all", tmp_path / "back-up") == 0
    assert run(again, "import", tmp_path / "back-up") == 0
    for folder in (data, again):
        assert imported(folder) == [("2026-03-01", 5, 6, 9, None), ("2026-03-02", 7, 7, 8, None)]
        assert imported(folder, "source") == [("Google", 4, 4, 5, None)]
        assert imported(folder, "utm_medium") == [("email", 1, 1, 1, None)]
        assert imported(folder, "entry_page") == [("/", 5, 6, 9, None)]
        assert imported(folder, "country") == [("DE", 3, 3, 4, None), ("FR", 2, 3, 5, None)]
        assert imported(folder, "city") == [("2950159", 3, 3, 4, None)]
        assert imported(folder, "event") == [("Outbound Link: Click", 3, None, None, 4)]
        assert stored(folder) == ([], [])


def test_totals_that_were_counted_again_take_the_place_of_the_old(tmp_path: Path):
    file, data = tmp_path / "imported_visitors.csv", tmp_path / "data"
    for visitors in (4, 6):
        file.write_text(f"date,visitors,pageviews,bounces,visits,visit_duration\n2026-03-01,{visitors},9,2,6,300\n")
        assert run(data, "import", file, "--project", "shop") == 0
    assert imported(data) == [("2026-03-01", 6, 6, 9, None)]


def test_whose_it_is_has_to_be_said_and_an_export_of_another_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert tuple(VENDORS) == cli.VENDORS
    file = tmp_path / "hits.csv"
    file.write_text(GOATCOUNTER)
    for wrong in ([], ["--project", "no shop"]):
        assert run(tmp_path / "data", "import", file, *wrong) == 2
        assert "is an export of goatcounter: say with --project whose it is to be" in capsys.readouterr().err
    assert run(tmp_path / "data", "import", file, "--project", "shop", "--from", "umami") == 2
    assert "is no export of umami: it has no table with created_at, event_id" in capsys.readouterr().err
    (tmp_path / "broken.zip").write_text("no zip")
    assert run(tmp_path / "data", "import", tmp_path / "broken.zip", "--project", "shop") == 2

"""The sites that send visitors, by name and channel: one table, looked up from the host's end.

A key matches its host and every host below it; the longest match counts. `google` also has a host in each country.
"""

from __future__ import annotations

from typing import NamedTuple


class KnownSource(NamedTuple):
    """A site that sends visitors."""

    name: str
    channel: str  # search, social, email, ai


_BY_CHANNEL: dict[str, dict[str, str]] = {
    "search": {
        "google": "google.com googlequicksearchbox.google.android.com",
        "bing": "bing.com",
        "duckduckgo": "duckduckgo.com android.mobile.duckduckgo.com",
        "yahoo": "search.yahoo.com yahoo.co.jp yahoo.com",
        "baidu": "baidu.com",
        "yandex": "yandex.ru yandex.com ya.ru yandex.by yandex.kz yandex.com.tr",
        "ecosia": "ecosia.org",
        "qwant": "qwant.com",
        "startpage": "startpage.com",
        "brave": "search.brave.com",
        "kagi": "kagi.com",
        "naver": "naver.com",
        "daum": "search.daum.net",
        "seznam": "seznam.cz",
        "sogou": "sogou.com",
        "so.com": "so.com",
        "mojeek": "mojeek.com",
        "swisscows": "swisscows.com",
        "aol": "search.aol.com",
        "ask": "ask.com",
        "coccoc": "coccoc.com",
    },
    "ai": {
        "chatgpt": "chatgpt.com chat.openai.com",
        "claude": "claude.ai",
        "gemini": "gemini.google.com bard.google.com",
        "perplexity": "perplexity.ai",
        "copilot": "copilot.microsoft.com copilot.cloud.microsoft",
        "deepseek": "chat.deepseek.com",
        "mistral": "chat.mistral.ai",
        "grok": "grok.com",
        "meta ai": "meta.ai",
        "you.com": "you.com",
        "phind": "phind.com",
        "poe": "poe.com",
    },
    "social": {
        "facebook": "facebook.com fb.com fb.me katana.facebook.com messenger.com",
        "instagram": "instagram.com android.instagram.com",
        "threads": "threads.net threads.com",
        "x": "x.com twitter.com t.co android.twitter.com",
        "linkedin": "linkedin.com lnkd.in android.linkedin.com",
        "reddit": "reddit.com redd.it frontpage.reddit.com",
        "hacker news": "news.ycombinator.com hckrnews.com",
        "lobsters": "lobste.rs",
        "youtube": "youtube.com youtu.be",
        "pinterest": "pinterest.com pin.it",
        "tiktok": "tiktok.com",
        "bluesky": "bsky.app go.bsky.app",
        "mastodon": "mastodon.social mastodon.online fosstodon.org hachyderm.io",
        "telegram": "t.me telegram.org web.telegram.org messenger.telegram.org",
        "whatsapp": "whatsapp.com wa.me",
        "discord": "discord.com discord.gg",
        "slack": "slack.com",
        "snapchat": "snapchat.com",
        "tumblr": "tumblr.com",
        "vk": "vk.com vk.ru",
        "weibo": "weibo.com weibo.cn t.cn",
        "wechat": "weixin.qq.com",
        "line": "line.me",
        "quora": "quora.com",
        "medium": "medium.com",
        "product hunt": "producthunt.com",
        "twitch": "twitch.tv",
        "vimeo": "vimeo.com",
        "xing": "xing.com",
        "flipboard": "flipboard.com",
    },
    "email": {
        "gmail": "mail.google.com gm.android.google.com",
        "outlook": "outlook.live.com outlook.office.com outlook.office365.com outlook.com",
        "yahoo mail": "mail.yahoo.com mail.yahoo.co.jp",
        "proton mail": "mail.proton.me",
        "fastmail": "fastmail.com app.fastmail.com",
        "zoho mail": "mail.zoho.com",
        "gmx": "gmx.net gmx.com gmx.de",
        "web.de": "web.de",
        "icloud mail": "mail.icloud.com",
        "aol mail": "mail.aol.com",
        "yandex mail": "mail.yandex.ru mail.yandex.com",
        "mail.ru": "e.mail.ru",
    },
}

_BY_HOST = {
    host: KnownSource(name, channel)
    for channel, names in _BY_CHANNEL.items()
    for name, hosts in names.items()
    for host in hosts.split()
}
_BY_NAME = {known.name: known for known in _BY_HOST.values()} | {
    "fb": KnownSource("facebook", "social"),
    "ig": KnownSource("instagram", "social"),
    "twitter": KnownSource("x", "social"),
    "hn": KnownSource("hacker news", "social"),
    "hackernews": KnownSource("hacker news", "social"),
    "producthunt": KnownSource("product hunt", "social"),
    "openai": KnownSource("chatgpt", "ai"),
    "adwords": KnownSource("google", "search"),
}
# google.de, google.co.uk, and likewise: the name, then one or two labels of a country.
_IN_EACH_COUNTRY = frozenset({"google", "bing", "yahoo", "yandex", "pinterest"})


def source_of_host(host: str) -> KnownSource | None:
    """Return the known site that a lower-case host belongs to."""
    labels = host.split(".")
    for start in range(len(labels) - 1):
        if known := _BY_HOST.get(".".join(labels[start:])):
            return known
    for label, *country in (labels[-2:], labels[-3:]):
        if label in _IN_EACH_COUNTRY and all(len(part) <= 3 for part in country):  # co, com, uk
            return _BY_NAME[label]
    return None


def source_of_tag(tag: str) -> KnownSource | None:
    """Return the known site that a campaign's `utm_source` means, given as a name or a host in lower case."""
    return _BY_NAME.get(tag) or (source_of_host(tag) if "." in tag else None)

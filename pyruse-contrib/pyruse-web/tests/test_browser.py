"""The pages in a real browser: they fit, they can be read and used, and no log line runs."""

from __future__ import annotations

import json

import pytest
from conftest import TOKEN

PAGES = (
    "/", "/?part=important", "/?q=203", "/search?q=203", "/bans", "/chains", "/chains?show=none",
    "/health",
)  # fmt: skip

# WCAG 2, "relative luminance" and "contrast ratio"; and what sticks out of the window.
MEASURE = """(() => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const channels = text => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = text;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const luminance = color => {
    const [red, green, blue] = color.slice(0, 3).map(channel => channel / 255)
      .map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const background = element => {
    for (; element; element = element.parentElement) {
      const box = element.closest("g.box")?.querySelector("rect");
      const style = getComputedStyle(element);
      const color = channels(box ? getComputedStyle(box).fill : style.backgroundColor);
      if (color[3]) return color;
    }
    return [255, 255, 255, 255];
  };
  const contrast = element => {
    const style = getComputedStyle(element);
    const color = channels(element.closest("svg") ? style.fill : style.color);
    const [dark, light] = [luminance(color), luminance(background(element))].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  };
  const root = document.documentElement;
  const texts = [...document.body.querySelectorAll("*:not(title):not(desc)")].filter(element =>
    [...element.childNodes].some(node => node.nodeType === Node.TEXT_NODE && node.data.trim()));
  const free = texts.filter(element => !element.closest(".scroll, .skip"));
  return {
    overflow: root.scrollWidth - root.clientWidth,
    clipped: free.filter(one => one.getBoundingClientRect().right > root.clientWidth + 1).length,
    cut: [...document.querySelectorAll(".scroll:not(.graph)")]
      .filter(box => box.scrollWidth > box.clientWidth + 1).length,
    contrast: Math.min(...texts.map(contrast)),
    background: background(document.body)[0],
    ran: typeof pwned !== "undefined",
    unnamed: [...document.querySelectorAll("th:not([scope]), " +
      "svg:not([role]):not([aria-hidden]):not(svg svg), " +
      "[tabindex='0']:not([aria-label]):not([aria-labelledby])")].length,
    main: document.querySelectorAll("main").length,
    labels: [...document.querySelectorAll("[aria-labelledby]")]
      .flatMap(one => one.getAttribute("aria-labelledby").split(" "))
      .filter(id => !document.getElementById(id)).length,
  };
})()"""


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_page_fits_and_can_be_read_on_a_phone_and_on_a_desktop(browser, page, dark):
    browser.screen(1280, 900, dark=dark)
    browser.go(f"{page.url}/login")
    assert browser.run(MEASURE)["contrast"] >= 4.5
    browser.log_in(page.url, TOKEN)
    for width in (320, 390, 1280):
        browser.screen(width, 900, dark=dark)
        for path in PAGES:
            browser.go(f"{page.url}{path}")
            found = browser.run(MEASURE)
            assert found["overflow"] <= 0, (path, width)
            assert found["clipped"] == 0, (path, width)
            assert found["contrast"] >= 4.5, (path, width)
            if width == 390 and "chains" not in path:
                assert found["cut"] == 0, path
            assert (found["background"] < 50) == dark
            assert (found["ran"], found["unnamed"], found["labels"]) == (False, 0, 0), path
            assert found["main"] == 1
    assert browser.told == [], "nothing was refused, as there is nothing to be refused"


def test_a_script_would_not_run_and_the_measure_would_see_it(browser, page):
    browser.log_in(page.url, TOKEN)
    browser.run(
        "document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"pwned = 1\">'"
        " + '<p style=\"width: 3000px; color: #eee; background: #fff\">wide and pale</p>')"
    )
    browser.until("document.images[0].complete")
    assert browser.run(MEASURE)["ran"] is False
    assert any("Content Security Policy" in one for one in browser.told), browser.told
    assert browser.run("document.querySelector('p[style]').offsetWidth") < 3000


def test_the_cookie_is_hidden_from_scripts_and_the_token_from_the_history(browser, page):
    browser.log_in(page.url, TOKEN)
    assert browser.run("document.cookie") == ""
    [cookie] = browser.ask("Network.getCookies", urls=[page.url])["cookies"]
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    history = browser.ask("Page.getNavigationHistory")["entries"]
    assert not any(TOKEN in entry["url"] for entry in history)


def test_without_scripts_everything_works(browser, page):
    browser.log_in(page.url, TOKEN)
    browser.ask("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.go(f"{page.url}/bans?q=203.0.113.1")
        assert browser.run("document.querySelectorAll('tbody tr').length") == 1
        browser.go(f"{page.url}/chains")
        assert browser.run("document.querySelectorAll('svg .box').length") == 3
        browser.go(f"{page.url}/")
        browser.run("document.querySelector('.rows summary').click()")
        assert browser.run("document.querySelector('.rows details').open")
        assert browser.run("document.querySelector('.rows details li').offsetHeight") > 0
        browser.run("document.querySelector('#q').value = '203.0.113.1'")
        browser.run("document.querySelector('[name=part]').value = 'important'")
        browser.run("document.querySelector('form.search').requestSubmit()")
        browser.until("location.search === '?q=203.0.113.1&part=important'")
        browser.until("document.querySelectorAll('.found tbody tr').length === 1")
        browser.run("document.querySelector('header form').requestSubmit()")
        browser.until("location.pathname === '/login'")
    finally:
        browser.ask("Emulation.setScriptExecutionDisabled", value=False)


def test_the_keyboard_reaches_the_content_first_and_shows_where_it_is(browser, page):
    browser.log_in(page.url, TOKEN)
    browser.go(f"{page.url}/chains")
    key = {"key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9}
    browser.ask("Input.dispatchKeyEvent", type="keyDown", **key)
    assert browser.run("document.activeElement.className") == "skip"
    assert browser.run("document.activeElement.getBoundingClientRect().left") >= 0
    assert browser.run("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_the_keyboard_opens_what_is_folded(browser, page):
    browser.log_in(page.url, TOKEN)
    enter = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"}
    browser.go(f"{page.url}/?part=important")
    browser.run("document.querySelector('.rows summary').focus()")
    browser.ask("Input.dispatchKeyEvent", type="keyDown", **enter)
    assert browser.run("document.querySelector('.rows details').open")
    browser.go(f"{page.url}/chains?show=none")
    opened = "document.querySelectorAll('svg a[aria-expanded=true]').length"
    assert browser.run(opened) == 0
    browser.run("document.querySelector('svg a').focus()")
    assert browser.run("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    browser.ask("Input.dispatchKeyEvent", type="keyDown", **enter)
    browser.until(f"{opened} === 1")


def test_forty_chains_scroll_in_their_own_box_on_a_phone(browser, serve, pipeline, tmp_path):
    chains = "".join(
        f'"chain {number}" = [\n'
        f'{{ filter = "exists", field = "f{number}", else = "jump {number % 10}" }},\n'
        + '{ action = "report", section = "other", message = "x" },\n' * (number % 5)
        + "]\n"
        for number in range(30)
    ) + "".join(f'"jump {number}" = [{{ action = "discard" }}]\n' for number in range(10))
    observer = pipeline(f"[chains]\n{chains}", state=tmp_path / "state.sqlite").observer
    page = serve(observer)
    browser.screen(375, 800)
    browser.log_in(page.url, TOKEN)
    browser.go(f"{page.url}/chains?show=all")
    assert browser.run(MEASURE)["overflow"] <= 0
    assert browser.run("document.querySelectorAll('svg .box').length") == 40
    height = "document.querySelector('.graph').clientHeight"
    assert browser.run(f"{height} < 620 && {height} > 400")
    assert browser.run("document.querySelector('.graph').scrollHeight") > 2000
    size = "parseFloat(getComputedStyle(document.querySelector('svg text')).fontSize)"
    assert browser.run(size) >= 12, "it is not made smaller to fit"


RULES = [
    "sshd", "sudo", "su", "pam", "logind", "dovecot", "nginx", "systemd", "kernel", "smartd",
    "postfix", "apache", "cron", "docker", "exim", "mariadb", "named", "mdadm", "certbot",
    "polkit", "opensmtpd", "postgresql", "vsftpd", "openvpn", "squid", "samba", "unbound",
    "haproxy", "dropbear", "chrony",
]  # fmt: skip


def test_thirty_rules_can_be_read_and_opened_one_by_one(browser, serve, pipeline, tmp_path):
    observer = pipeline(f"use = {json.dumps(RULES)}", state=tmp_path / "state.sqlite").observer
    page = serve(observer)
    browser.log_in(page.url, TOKEN)
    for width in (390, 1280):
        browser.screen(width, 900)
        browser.go(f"{page.url}/chains")
        assert browser.run(MEASURE)["overflow"] <= 0
        drawing = "document.querySelector('.graph > svg')"
        wide, high = browser.run(f"[{drawing}.clientWidth, {drawing}.clientHeight]")
        assert (wide < 1500, high < 2500) == (True, True), (wide, high)
        assert browser.run("document.querySelectorAll('svg .box:not(.jump)').length") >= len(RULES)
        browser.run("document.querySelector('svg .box a').dispatchEvent(new MouseEvent('click'))")
        browser.until("document.querySelectorAll('svg .box:not(.folded)').length > 1")
        browser.until("document.readyState === 'complete'")
        assert browser.run(MEASURE)["overflow"] <= 0

"""What can be measured of a page's looks, as scripts that run in it: contrast, overflow, and what is too small."""

from typing import Final, TypedDict

from tests.browser.page import Page


class Faint(TypedDict):
    text: str
    ratio: float
    colour: str
    ground: str


#: WCAG 2.2, 1.4.3: the ratio of the luminances of every visible text and what is painted behind it, where it is below
#: 4.5. In SVG that is the rectangle or circle beside it.
_FAINT: Final = """
(() => {
  const parse = (c) => { const n = c.match(/[\\d.]+/g).map(Number); return n.length < 4 ? [...n, 1] : n; };
  const over = (a, b) => [0, 1, 2].map((i) => a[i] * a[3] + b[i] * (1 - a[3])).concat(1);
  const light = (c) => { const f = (v) => { v /= 255; return v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; };
    return .2126 * f(c[0]) + .7152 * f(c[1]) + .0722 * f(c[2]); };
  const ground = (e) => { let found = [];
    for (let at = e; at; at = at.parentElement) {
      const beside = at instanceof SVGElement ? at.querySelector(':scope > rect, :scope > circle') : null;
      const fill = beside ? getComputedStyle(beside).fill : getComputedStyle(at).backgroundColor;
      if (fill && fill !== 'none') found.push(parse(fill));
    }
    const canvas = matchMedia('(prefers-color-scheme: dark)').matches ? [18, 18, 18, 1] : [255, 255, 255, 1];
    return found.reverse().reduce((below, above) => over(above, below), canvas); };
  const faint = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; node = walker.nextNode();) {
    const e = node.parentElement, style = getComputedStyle(e);
    const isSvg = e instanceof SVGElement;
    if (!node.data.trim() || e.tagName === 'title' || style.visibility !== 'visible') continue;
    if (!e.checkVisibility({contentVisibilityAuto: true})) continue;
    const below = ground(isSvg ? e.closest('g, svg') : e);
    const colour = over(parse(isSvg ? style.fill : style.color), below);
    const [low, high] = [light(colour), light(below)].sort((a, b) => a - b);
    const ratio = (high + .05) / (low + .05);
    if (ratio < 4.5) faint.push({text: node.data.slice(0, 60), ratio, colour: colour.join(), ground: below.join()});
  }
  return faint;
})()
"""
_TEXTS: Final = "[...document.querySelectorAll('body *')].filter(e => e.innerText?.trim()).length"
_WIDER: Final = """
(() => { const wide = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= wide) return [];
  const rolled = (e) => { for (let at = e.parentElement; at; at = at.parentElement)
    if (getComputedStyle(at).overflowX !== 'visible') return true; return false; };
  return [...document.querySelectorAll('body *')]
    .filter(e => e.getBoundingClientRect().right > wide + 1 && !rolled(e))
    .map(e => e.outerHTML.slice(0, 120)); })()
"""
_SMALL: Final = """
[...document.querySelectorAll('svg text')].filter(e => e.checkVisibility())
  .map(e => parseFloat(getComputedStyle(e).fontSize) * (e.getScreenCTM()?.a ?? 1))
  .reduce((least, each) => Math.min(least, each), 99)
"""


async def faint_texts(page: Page) -> list[Faint]:
    """Visible texts with a contrast below 4.5; a page without any text is an error of the test."""
    assert await page.evaluate(_TEXTS) > 0
    found: list[Faint] = await page.evaluate(_FAINT)
    return found


async def overflowing(page: Page) -> list[str]:
    """What makes the page wider than its window, as the beginning of its HTML."""
    found: list[str] = await page.evaluate(_WIDER)
    return found


async def smallest_drawn_text(page: Page) -> float:
    """In CSS pixels as they come on the screen, of all SVG."""
    return float(await page.evaluate(_SMALL))

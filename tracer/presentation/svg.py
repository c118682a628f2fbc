"""A drawn picture made fit for a page: small, with words for it, and with no id that another one has too."""

from __future__ import annotations

import re

from lxml import etree

SVG = "{http://www.w3.org/2000/svg}"
HREF = "{http://www.w3.org/1999/xlink}href"
REFERENCE = re.compile(r"(^|url\()#([\w-]+)")
COORDINATES = ("d", "x", "y", "points")
MORE_DECIMALS = re.compile(r"(\.\d)\d+")


def tidied(svg: bytes, name: str, words: str) -> str:
    """The picture as one <svg> element that says `words`; its ids begin with `name`.

    One decimal is kept of a coordinate, a tenth of a point; what nothing refers to goes.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True, remove_blank_text=True)
    root = etree.fromstring(svg, parser)
    for waste in list(root.iter(f"{SVG}metadata", f"{SVG}style")):
        parent = waste.getparent()
        assert parent is not None
        parent.remove(waste)
    values = [str(value) for element in root.iter() for value in element.attrib.values()]
    used = dict.fromkeys(found[2] for value in values for found in REFERENCE.finditer(value))
    ids = {each: f"{name}-{k}" for k, each in enumerate(used)}
    for element in root.iter():
        _tidy(element, ids)
    for element in root.iter(f"{SVG}g"):
        _share_style(element)
    root.set("role", "img")
    root.set("aria-label", words)
    root.set("style", "stroke-linejoin:round;stroke-linecap:butt")  # what the style sheet said of everything
    etree.cleanup_namespaces(root)
    return etree.tostring(root, encoding="unicode")


def _tidy(element: etree._Element, ids: dict[str, str]) -> None:
    for key, value in element.attrib.items():
        del element.attrib[key]
        text = REFERENCE.sub(lambda found: f"{found[1]}#{ids[found[2]]}", str(value))
        if key == "id":
            text = ids.get(text, "")
        elif key == "style":
            text = re.sub(r"(?<=[:;]) +", "", text)
        elif key in COORDINATES:
            text = " ".join(MORE_DECIMALS.sub(r"\1", text).split())
            text = text if "C" in text else text.replace(" L ", " ")  # lines are meant where no letter stands
        if text:
            element.set("href" if key == HREF else key, text)


def _share_style(group: etree._Element) -> None:
    """Marks of one look have it once, on what holds them."""
    styles = {mark.get("style") for mark in group}
    if len(group) < 2 or len(styles) > 1 or any(mark.tag != f"{SVG}use" for mark in group):
        return
    if (style := styles.pop()) and not group.get("style"):
        group.set("style", str(style))
        for mark in group:
            del mark.attrib["style"]

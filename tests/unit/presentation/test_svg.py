"""A picture is made smaller without becoming another picture."""

import re

from lxml import etree

from tracer.presentation.svg import SVG, tidied

DRAWN = b"""<?xml version="1.0"?>
<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">
<svg xmlns:xlink="http://www.w3.org/1999/xlink" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10" version="1.1">
 <metadata><x/></metadata>
 <defs>
  <style type="text/css">*{stroke-linejoin: round}</style>
  <path id="mark" d="M 0 0 C 1.23456 2 3 4 5 6 L 7 8"/>
 </defs>
 <g id="figure_1">
  <!-- a comment -->
  <path id="line" d="M 1.2345 2.3456
L 3.4567 -4.5678
z" style="fill: none; stroke: #37474f" clip-path="url(#box)"/>
  <g>
   <use xlink:href="#mark" x="1.999" y="2" style="fill: #ff0000"/>
   <use xlink:href="#mark" x="3" y="4" style="fill: #ff0000"/>
  </g>
  <g>
   <use xlink:href="#mark" x="5" y="6" style="fill: #ff0000"/>
   <use xlink:href="#mark" x="7" y="8" style="fill: #00ff00"/>
  </g>
  <text id="words" x="1" y="2">loss &lt;b&gt; 1.23456</text>
 </g>
 <clipPath id="box"><rect x="0.123" y="0" width="9" height="9"/></clipPath>
</svg>
"""


def test_what_nothing_refers_to_goes_and_the_rest_has_names_of_its_own() -> None:
    root = etree.fromstring(tidied(DRAWN, "loss", 'The loss "falls" & <rises>.'))
    ids = {each.get("id"): each.tag for each in root.iter() if each.get("id")}
    assert ids == {"loss-0": f"{SVG}clipPath", "loss-1": f"{SVG}path"}
    assert not list(root.iter(f"{SVG}metadata", f"{SVG}style", etree.Comment))
    assert root.get("role") == "img" and root.get("aria-label") == 'The loss "falls" & <rises>.'
    assert [path.get("clip-path") for path in root.iter(f"{SVG}path")] == [None, "url(#loss-0)"]
    assert {use.get("href") for use in root.iter(f"{SVG}use")} == {"#loss-1"}


def test_coordinates_are_shorter_and_nothing_else_is() -> None:
    root = etree.fromstring(tidied(DRAWN, "loss", ""))
    mark, line = root.iter(f"{SVG}path")
    assert mark.get("d") == "M 0 0 C 1.2 2 3 4 5 6 L 7 8"  # behind a curve the letter is needed
    assert line.get("d") == "M 1.2 2.3 3.4 -4.5 z"
    assert line.get("style") == "fill:none;stroke:#37474f"
    assert "".join(root.itertext()).strip() == "loss <b> 1.23456"


def test_marks_of_one_look_share_it_and_others_keep_theirs() -> None:
    text = tidied(DRAWN, "loss", "")
    assert re.findall(r"<g style=\"([^\"]*)\">", text) == ["fill:#ff0000"]
    assert re.findall(r"<use [^>]*>", text) == [
        '<use href="#loss-1" x="1.9" y="2"/>',
        '<use href="#loss-1" x="3" y="4"/>',
        '<use href="#loss-1" x="5" y="6" style="fill:#ff0000"/>',
        '<use href="#loss-1" x="7" y="8" style="fill:#00ff00"/>',
    ]

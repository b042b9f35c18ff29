"""A plan as one self-contained HTML page that a person would rather look at than read. `page` puts the parts together;
`markup` is the only place where text becomes HTML, `graph_layout` places what `graph_svg` draws."""

from reconciler.render.html.page import LISTED, plan_page, plan_parts

__all__ = ["LISTED", "plan_page", "plan_parts"]

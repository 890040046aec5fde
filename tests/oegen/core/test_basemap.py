"""The pieces of the basemap fit together: each has the land of its part of the world."""

from itertools import pairwise

from oegen.core.basemap import Detail, pieces

WIDTH = 1024


def topology(*rings):
    """A world on a grid of one degree with a country for each ring, which may share arcs."""
    arcs = [arc for ring in rings for arc in ring]
    steps = [[arc[0], *([x - a, y - b] for (a, b), (x, y) in pairwise(arc))] for arc in arcs]
    shapes, place = [], 0
    for ring in rings:
        shapes.append({"type": "Polygon", "arcs": [list(range(place, place + len(ring)))]})
        place += len(ring)
    countries = {"type": "GeometryCollection", "geometries": shapes}
    return {
        "transform": {"scale": [1, 1], "translate": [0, 0]},
        "arcs": steps,
        "objects": {"countries": countries, "land": countries},
    }


def area(steps, width):
    """Of the part of a ring inside the piece, if the ring is a rectangle."""
    points, x, y = [], 0, 0
    for place in range(0, len(steps), 2):
        x, y = x + steps[place], y + steps[place + 1]
        points.append((min(max(x, 0), width), min(max(y, 0), width)))
    pairs = zip(points, points[1:] + points[:1], strict=True)
    return abs(sum(a * d - b * c for (a, b), (c, d) in pairs)) / 2


def cut(shape, monkeypatch, most):
    monkeypatch.setattr("oegen.core.basemap.MAX_POINTS", most)
    return dict(pieces(Detail("test", grid=WIDTH, max_depth=2), shape))


def test_quarters_have_together_the_land_of_the_whole(monkeypatch):
    square = [[[-100, -60], [0, -60], [100, -60], [100, 60], [0, 60], [-100, 60], [-100, -60]]]
    whole = cut(topology(square), monkeypatch, most=1000)
    assert list(whole) == ["test-w"]
    quarters = cut(topology(square), monkeypatch, most=3)
    assert len(quarters) == 8
    assert {len(name) for name in quarters} == {len("test-w00")}
    total = sum(area(ring, p["width"]) for p in quarters.values() for ring in p["land"])
    assert total == area(whole["test-w"]["land"][0], WIDTH)


def test_land_over_the_date_line_is_at_both_ends_of_the_world(monkeypatch):
    island = [[[170, 0], [180, 0], [-170, 0], [-170, 10], [180, 10], [170, 10], [170, 0]]]
    (piece,) = cut(topology(island), monkeypatch, most=1000).values()
    first, second = (area(ring, WIDTH) for ring in piece["land"])
    assert first == second > 0


def test_land_round_the_pole_reaches_the_edge(monkeypatch):
    south = [[[-180, -70], [-90, -70], [0, -70], [90, -70], [180, -70], [-180, -70]]]
    (piece,) = cut(topology(south), monkeypatch, most=1000).values()
    (ring,) = piece["land"][:1]
    assert area(ring, WIDTH) > WIDTH * WIDTH / 5


def test_border_is_drawn_once(monkeypatch):
    left = [[[0, 0], [0, 10]], [[0, 10], [-10, 10], [-10, 0], [0, 0]]]
    shape = topology(left, [[[0, 0], [10, 0], [10, 10], [0, 10]]])
    shape["objects"]["countries"]["geometries"][1]["arcs"][0].append(-1)  # the first arc, back
    (piece,) = cut(shape, monkeypatch, most=1000).values()
    assert len(piece["borders"]) == 1
    assert len(piece["borders"][0]) == 4

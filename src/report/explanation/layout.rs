//! Where the boxes of a drawing stand: in layers from the top down, so that few arrows cross and each is short (after
//! Sugiyama, Tagawa and Toda, "Methods for visual understanding of hierarchical system structures", 1981).

use super::drawing::Drawing;

/// Sizes are in pixels of an SVG.
const CHARACTER: f64 = 7.3;
pub const LINE: f64 = 16.0;
const PADDING: f64 = 10.0;
const GAP: f64 = 34.0;
const BETWEEN_LAYERS: f64 = 64.0;
pub const MARGIN: f64 = 16.0;
/// The title's room.
pub const HEAD: f64 = 34.0;
/// So many times the order within layers is looked over.
const SWEEPS: usize = 12;

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rectangle {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
}

/// Where everything stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Layout {
    pub width: f64,
    pub height: f64,
    /// By box.
    pub boxes: Vec<Rectangle>,
    /// By arrow: the points that it passes, from its source to its target.
    pub arrows: Vec<Vec<(f64, f64)>>,
}

/// A box, or a point where an arrow passes a layer.
struct Spot {
    width: f64,
    height: f64,
    center: f64,
    layer: usize,
    above: Vec<usize>,
    below: Vec<usize>,
}

impl Layout {
    pub fn of(drawing: &Drawing) -> Layout {
        let ranks = ranks(drawing);
        let mut spots: Vec<Spot> = drawing
            .boxes
            .iter()
            .zip(&ranks)
            .map(|(each, &layer)| Spot {
                width: text_width(each.lines.iter().map(String::as_str)) + 2.0 * PADDING,
                height: each.lines.len() as f64 * LINE + PADDING,
                center: 0.0,
                layer,
                above: Vec::new(),
                below: Vec::new(),
            })
            .collect();
        let routes: Vec<Vec<usize>> = drawing
            .arrows
            .iter()
            .map(|arrow| route(&mut spots, arrow.from, arrow.to, &arrow.label))
            .collect();
        let mut layers: Vec<Vec<usize>> = vec![Vec::new(); spots.iter().map(|spot| spot.layer + 1).max().unwrap_or(0)];
        for (number, spot) in spots.iter().enumerate() {
            layers[spot.layer].push(number);
        }
        order(&mut spots, &mut layers);
        place(&mut spots, &layers);
        finish(drawing, &spots, &layers, &routes)
    }
}

/// The width of the longest of these lines.
pub fn text_width<'a>(lines: impl Iterator<Item = &'a str>) -> f64 {
    lines.map(|line| line.chars().count()).max().unwrap_or(0) as f64 * CHARACTER
}

/// The layer of each box: below all that hold it, arrows that lead back left out.
fn ranks(drawing: &Drawing) -> Vec<usize> {
    let count = drawing.boxes.len();
    let mut below: Vec<Vec<usize>> = vec![Vec::new(); count];
    for arrow in &drawing.arrows {
        below[arrow.from].push(arrow.to);
    }
    // 0: not met, 1: on the way down from it, 2: done.
    let mut state = vec![0_u8; count];
    let mut finished = Vec::new();
    for start in 0..count {
        let mut open = vec![(start, 0)];
        while let Some((at, next)) = open.pop() {
            if next == 0 && std::mem::replace(&mut state[at], 1) != 0 {
                state[at] = state[at].max(2);
                continue;
            }
            match below[at].get(next).copied() {
                Some(to) => {
                    open.push((at, next + 1));
                    match state[to] {
                        0 => open.push((to, 0)),
                        // An arrow back to where the way down began is no arrow down.
                        1 => below[at][next] = at,
                        _ => {}
                    }
                }
                None => {
                    state[at] = 2;
                    finished.push(at);
                }
            }
        }
    }
    let mut ranks = vec![0; count];
    for &at in finished.iter().rev() {
        for &to in below[at].iter().filter(|&&to| to != at) {
            ranks[to] = ranks[to].max(ranks[at] + 1);
        }
    }
    ranks
}

/// Adds a point in each layer that an arrow passes; answers all spots on its way.
fn route(spots: &mut Vec<Spot>, from: usize, to: usize, label: &str) -> Vec<usize> {
    let mut route = vec![from];
    for layer in spots[from].layer + 1..spots[to].layer {
        spots.push(Spot {
            width: text_width(std::iter::once(label)).min(60.0),
            height: LINE,
            center: 0.0,
            layer,
            above: Vec::new(),
            below: Vec::new(),
        });
        route.push(spots.len() - 1);
    }
    route.push(to);
    for pair in route.windows(2) {
        if spots[pair[0]].layer < spots[pair[1]].layer {
            spots[pair[0]].below.push(pair[1]);
            spots[pair[1]].above.push(pair[0]);
        }
    }
    route
}

/// Orders each layer by where its neighbours stand in the one before, downwards and upwards in turn.
fn order(spots: &mut [Spot], layers: &mut [Vec<usize>]) {
    for sweep in 0..SWEEPS {
        let downwards = sweep % 2 == 0;
        for layer in layers.iter() {
            for (place, &spot) in layer.iter().enumerate() {
                spots[spot].center = place as f64;
            }
        }
        let count = layers.len();
        for step in 1..count {
            let layer = &mut layers[if downwards { step } else { count - 1 - step }];
            let mut wanted: Vec<(f64, usize)> = layer
                .iter()
                .map(|&spot| (mean(spots, spot, downwards).unwrap_or(spots[spot].center), spot))
                .collect();
            wanted.sort_by(|a, b| a.0.total_cmp(&b.0));
            for (place, &(_, spot)) in wanted.iter().enumerate() {
                layer[place] = spot;
                spots[spot].center = place as f64;
            }
        }
    }
}

fn mean(spots: &[Spot], spot: usize, downwards: bool) -> Option<f64> {
    let neighbours = if downwards {
        &spots[spot].above
    } else {
        &spots[spot].below
    };
    let sum: f64 = neighbours.iter().map(|&each| spots[each].center).sum();
    (!neighbours.is_empty()).then(|| sum / neighbours.len() as f64)
}

/// Gives each spot its place across, near its neighbours and with room between.
fn place(spots: &mut [Spot], layers: &[Vec<usize>]) {
    for layer in layers {
        let mut edge = 0.0;
        for &spot in layer {
            spots[spot].center = edge + spots[spot].width / 2.0;
            edge += spots[spot].width + GAP;
        }
    }
    for sweep in 0..SWEEPS {
        let downwards = sweep % 2 == 1;
        let count = layers.len();
        for step in 0..count {
            let layer = &layers[if downwards { step } else { count - 1 - step }];
            let wanted: Vec<f64> = layer
                .iter()
                .map(|&spot| mean(spots, spot, downwards).unwrap_or(spots[spot].center))
                .collect();
            let mut edge = f64::NEG_INFINITY;
            let mut moved = 0.0;
            for (&spot, &wanted) in layer.iter().zip(&wanted) {
                let half = spots[spot].width / 2.0;
                spots[spot].center = wanted.max(edge + half);
                moved += spots[spot].center - wanted;
                edge = spots[spot].center + half + GAP;
            }
            // What had to make way moved to the right; half of that is given back to all.
            for &spot in layer {
                spots[spot].center -= moved / layer.len().max(1) as f64;
            }
        }
    }
}

fn finish(drawing: &Drawing, spots: &[Spot], layers: &[Vec<usize>], routes: &[Vec<usize>]) -> Layout {
    let left = |spot: &Spot| spot.center - spot.width / 2.0;
    let start = spots.iter().map(left).fold(f64::INFINITY, f64::min);
    let shift = if start.is_finite() { MARGIN - start } else { 0.0 };
    let right = spots
        .iter()
        .map(|spot| left(spot) + spot.width + shift)
        .fold(0.0, f64::max);
    let mut tops = Vec::new();
    let mut y = HEAD + MARGIN;
    for layer in layers {
        let height = layer.iter().map(|&spot| spots[spot].height).fold(0.0, f64::max);
        tops.push((y, height));
        y += height + BETWEEN_LAYERS;
    }
    let rectangle = |spot: &Spot| Rectangle {
        x: left(spot) + shift,
        y: tops[spot.layer].0 + (tops[spot.layer].1 - spot.height) / 2.0,
        width: spot.width,
        height: spot.height,
    };
    let point = |spot: usize, end: f64| {
        let place = rectangle(&spots[spot]);
        (place.x + place.width / 2.0, place.y + place.height * end)
    };
    let arrows = routes.iter().map(|route| {
        let last = route.len() - 1;
        let ends = route.iter().enumerate().map(|(place, &spot)| match place {
            0 => point(spot, 1.0),
            place if place == last => point(spot, 0.0),
            _ => point(spot, 0.5),
        });
        ends.collect()
    });
    Layout {
        width: right.max(text_width(std::iter::once(drawing.title.as_str())) + MARGIN) + MARGIN,
        height: (y - BETWEEN_LAYERS).max(HEAD) + MARGIN,
        boxes: spots.iter().take(drawing.boxes.len()).map(rectangle).collect(),
        arrows: arrows.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::drawing::{Arrow, Box, Kind, Manner};
    use super::*;

    fn drawing(boxes: usize, arrows: &[(usize, usize)]) -> Drawing {
        Drawing {
            title: "title".to_owned(),
            boxes: (0..boxes)
                .map(|number| Box {
                    lines: vec![format!("box {number}"); 1 + number % 3],
                    kind: Kind::Object,
                })
                .collect(),
            arrows: arrows
                .iter()
                .map(|&(from, to)| Arrow {
                    from,
                    to,
                    label: ".name".to_owned(),
                    manner: Manner::Holds,
                })
                .collect(),
        }
    }

    #[test]
    fn boxes_never_overlap_and_arrows_lead_down() {
        let random = &mut fastrand::Rng::with_seed(7);
        for _ in 0..300 {
            let boxes = random.usize(1..30);
            let arrows: Vec<(usize, usize)> = (0..random.usize(0..50))
                .map(|_| (random.usize(0..boxes), random.usize(0..boxes)))
                .filter(|(from, to)| from < to)
                .collect();
            let layout = Layout::of(&drawing(boxes, &arrows));
            for (number, one) in layout.boxes.iter().enumerate() {
                assert!(one.x >= 0.0 && one.x + one.width <= layout.width, "{layout:?}");
                assert!(one.y >= HEAD && one.y + one.height <= layout.height, "{layout:?}");
                for other in &layout.boxes[number + 1..] {
                    let apart = one.x + one.width <= other.x + 0.01
                        || other.x + other.width <= one.x + 0.01
                        || one.y + one.height <= other.y
                        || other.y + other.height <= one.y;
                    assert!(apart, "{one:?} {other:?}");
                }
            }
            for ((from, to), points) in arrows.iter().zip(&layout.arrows) {
                assert!(layout.boxes[*from].y < layout.boxes[*to].y);
                assert!(points.windows(2).all(|pair| pair[0].1 < pair[1].1), "{points:?}");
            }
        }
    }

    #[test]
    fn circles_are_laid_out_too() {
        let layout = Layout::of(&drawing(4, &[(0, 1), (1, 2), (2, 0), (2, 3), (3, 1)]));
        assert_eq!((layout.boxes.len(), layout.arrows.len()), (4, 5));
        assert!(layout.boxes.windows(2).all(|pair| pair[0].y < pair[1].y));
    }

    #[test]
    fn nothing_has_a_size() {
        let layout = Layout::of(&Drawing::default());
        assert!(layout.width > 0.0 && layout.height > 0.0 && layout.boxes.is_empty());
    }
}

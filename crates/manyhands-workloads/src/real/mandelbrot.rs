//! The Mandelbrot set, tile by tile.

use super::Source;
use crate::Answer;
use crate::arithmetic::mix;

/// A picture of a part of the set. A job is a tile of it: those of the set's
/// inside take a hundred times as long as those far outside, and they lie
/// beside each other.
pub(crate) struct Mandelbrot {
    /// In pixels; the height is two thirds of it.
    width: u32,
}

impl Mandelbrot {
    /// From a tile or two to some seconds of work.
    pub(crate) const WIDTHS: std::ops::RangeInclusive<u32> = 64..=8192;

    /// How wide and high a tile is, in pixels.
    const TILE: u32 = 32;

    /// After so many steps a point is taken for one of the set.
    const STEPS: u32 = 500;

    pub(crate) fn new(width: u32) -> Self {
        Self { width }
    }

    fn height(&self) -> u32 {
        self.width * 2 / 3
    }

    /// How many tiles are beside each other, and below each other.
    fn tiles(&self) -> (u32, u32) {
        let tiles = |length: u32| length.div_ceil(Self::TILE);
        (tiles(self.width), tiles(self.height()))
    }

    /// Where a tile begins, in pixels.
    fn corner(&self, index: u64) -> (u32, u32) {
        let (across, _) = self.tiles();
        let tile = (index % self.len() as u64) as u32;
        (tile % across * Self::TILE, tile / across * Self::TILE)
    }

    /// The steps that a pixel takes. From -2.2 to 0.8, and -1 to 1 i.
    fn steps(&self, x: u32, y: u32) -> u32 {
        let a_pixel = 3.0 / f64::from(self.width);
        let re = -2.2 + f64::from(x) * a_pixel;
        let im = -1.0 + f64::from(y) * a_pixel;
        let (mut a, mut b) = (0.0_f64, 0.0_f64);
        for step in 0..Self::STEPS {
            let (aa, bb) = (a * a, b * b);
            if aa + bb > 4.0 {
                return step;
            }
            b = 2.0 * a * b + im;
            a = aa - bb + re;
        }
        Self::STEPS
    }
}

impl Source for Mandelbrot {
    fn len(&self) -> usize {
        let (across, down) = self.tiles();
        (across * down) as usize
    }

    fn summary(&self, jobs: usize) -> String {
        let (width, height, tile) = (self.width, self.height(), Self::TILE);
        format!("{jobs} tiles of {tile}×{tile} of {width}×{height} pixels")
    }

    fn describe(&self, index: u64) -> String {
        let (x, y) = self.corner(index);
        format!("the tile at {x}, {y} (job {index})")
    }

    fn expected(&self, index: u64) -> Answer {
        let (left, top) = self.corner(index);
        let right = (left + Self::TILE).min(self.width);
        let bottom = (top + Self::TILE).min(self.height());
        let mut digest = index;
        for y in top..bottom {
            for x in left..right {
                digest = mix(digest ^ u64::from(self.steps(x, y)));
            }
        }
        Answer { digest, bytes: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_of_the_set_stay_and_others_leave() {
        let picture = Mandelbrot::new(300);
        // A pixel is a hundredth; 0 is at 220, 100.
        let at = |re: i32, im: i32| {
            picture.steps((220 + re) as u32, (100 + im) as u32)
        };
        for (re, im) in [(0, 0), (-100, 0), (0, 50), (-12, -74)] {
            assert_eq!(at(re, im), Mandelbrot::STEPS, "{re}, {im}");
        }
        assert!(at(-215, 90) < 3);
        // It is the same above and below.
        assert_eq!(at(-70, 35), at(-70, -35));
    }

    #[test]
    fn tiles_cover_the_picture_once_and_differ_in_what_they_take() {
        let picture = Mandelbrot::new(200);
        let (across, down) = picture.tiles();
        assert_eq!((across, down, picture.len()), (7, 5, 35));
        let corners: std::collections::BTreeSet<_> =
            (0..35).map(|index| picture.corner(index)).collect();
        assert_eq!(corners.len(), 35);
        assert_eq!(picture.corner(35), (0, 0));
        let work = |(left, top): (u32, u32)| -> u32 {
            let steps = |at: u32| {
                let (x, y) = (left + at % 8 * 4, top + at / 8 * 4);
                picture.steps(x, y)
            };
            (0..64).map(steps).sum()
        };
        let works: Vec<u32> = corners.into_iter().map(work).collect();
        let (least, most) = (works.iter().min(), works.iter().max());
        assert!(most.unwrap() / least.unwrap().max(&1) > 50, "{works:?}");
    }
}

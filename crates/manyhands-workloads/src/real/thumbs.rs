//! Thumbnails of pictures: the user's, or drawn ones.

#[cfg(feature = "tokio")]
use std::future::ready;
use std::io::{Cursor, Read};
use std::path::Path;
use std::time::Duration;

use image::codecs::jpeg::JpegEncoder;
use image::{
    DynamicImage, ImageError, ImageFormat, ImageReader, Limits, Rgb, RgbImage,
};

#[cfg(feature = "tokio")]
use super::Running;
use super::Source;
use crate::arithmetic::{first_word, log_normal, mix};
use crate::files::Files;
use crate::{Answer, FileError, WorkError, WorkloadError, line};

/// A job reads one picture, PNG or JPEG, and makes a small one of it. As in
/// anybody's folder, a few are far larger than the others.
pub(crate) struct Thumbs {
    pictures: Pictures,
}

enum Pictures {
    /// As they would lie on a disk.
    Drawn(Vec<Vec<u8>>),
    Files(Files),
}

/// How wide or high a thumbnail is, whichever is more.
const SIDE: u32 = 160;

/// How many pictures are drawn, and how many pixels they have on average.
const DRAWN: u64 = 48;
const PIXELS: u64 = 100_000;

/// What a file may want of memory: some hundred million pixels. A picture
/// that says that it is larger is refused before it is read.
const MOST_MEMORY: u64 = 512 << 20;

/// How a file's name ends, that is taken for a picture.
const ENDINGS: [&str; 3] = ["png", "jpg", "jpeg"];

impl Thumbs {
    /// Those in the directory, or drawn ones.
    pub(crate) fn new(
        input: Option<&Path>,
        seed: u64,
    ) -> Result<Self, WorkloadError> {
        let Some(root) = input else {
            let drawn = (0..DRAWN).map(|index| drawn(seed, index));
            let drawn = drawn.collect::<Result<_, _>>();
            let drawn = drawn.map_err(|error| {
                WorkloadError::new(format!("cannot draw pictures: {error}"))
            })?;
            return Ok(Self { pictures: Pictures::Drawn(drawn) });
        };
        let files = Files::list(root)?.with_endings(&ENDINGS);
        if files.len() == 0 {
            return Err(WorkloadError::new(format!(
                "no picture under `{}`, allowed are {}",
                line::path(root),
                ENDINGS.map(|it| format!(".{it}")).join(", "),
            )));
        }
        Ok(Self { pictures: Pictures::Files(files) })
    }

    /// The thumbnail of that picture, and how many bytes it was made of; or
    /// why there is none.
    fn thumbnail(&self, index: u64) -> Result<(RgbImage, u64), Unread> {
        let read;
        let bytes = match &self.pictures {
            Pictures::Drawn(drawn) => &drawn[index as usize % drawn.len()],
            Pictures::Files(files) => {
                let mut bytes = Vec::new();
                let mut file = files.open(index).map_err(Unread::File)?;
                let ended = file.read_to_end(&mut bytes);
                ended.map_err(|error| Unread::File(error.into()))?;
                read = bytes;
                &read
            }
        };
        let mut reader = ImageReader::new(Cursor::new(bytes));
        let mut limits = Limits::default();
        limits.max_alloc = Some(MOST_MEMORY);
        reader.limits(limits);
        let reader = reader.with_guessed_format();
        let reader = reader.map_err(|error| Unread::File(error.into()))?;
        let picture = reader.decode().map_err(Unread::Picture)?;
        let small = picture.thumbnail(SIDE, SIDE).into_rgb8();
        Ok((small, bytes.len() as u64))
    }

    fn answer(
        &self,
        index: u64,
        seen: Result<(RgbImage, u64), Unread>,
    ) -> Answer {
        let (hash, bytes) = match seen {
            Ok((small, bytes)) => (blake3::hash(small.as_raw()), bytes),
            // That it cannot be read is the answer.
            Err(error) => {
                let why = match error {
                    Unread::File(error) => error.to_string(),
                    Unread::Picture(error) => error.to_string(),
                };
                (blake3::hash(why.as_bytes()), 0)
            }
        };
        let digest = mix(index) ^ first_word(hash.as_bytes());
        Answer { digest, bytes }
    }
}

enum Unread {
    File(FileError),
    Picture(ImageError),
}

/// A picture as a file: a wash of colour with discs on it, log-normal in
/// size, by turns PNG and JPEG.
fn drawn(seed: u64, index: u64) -> Result<Vec<u8>, ImageError> {
    let pixels = log_normal(Duration::from_nanos(PIXELS), seed, index);
    let pixels = (pixels.as_nanos() as f64).clamp(4_000.0, 6e6);
    let high = (pixels * 0.75).sqrt().round() as u32;
    let wide = high * 4 / 3;
    let mut random = fastrand::Rng::with_seed(mix(seed ^ mix(index)));
    let colour =
        |random: &mut fastrand::Rng| Rgb([(); 3].map(|()| random.u8(..)));
    let [from, to] = [(); 2].map(|()| colour(&mut random));
    // Each with its colour, where its middle is, and how far it reaches.
    let discs = [(); 12].map(|()| {
        let (x, y, reach) = (random.f32(), random.f32(), random.f32());
        (colour(&mut random), x, y, 0.02 + reach * 0.15)
    });
    let picture = RgbImage::from_fn(wide, high, |x, y| {
        let (u, v) = (x as f32 / wide as f32, y as f32 / high as f32);
        let hit = discs.iter().find(|(_, a, b, reach)| {
            (u - a).powi(2) + (v - b).powi(2) < reach * reach
        });
        match hit {
            Some((ink, ..)) => *ink,
            None => Rgb([0, 1, 2].map(|at| {
                let (from, to) = (f32::from(from[at]), f32::from(to[at]));
                let grain =
                    (mix(u64::from(x) << 32 | u64::from(y)) & 7) as f32;
                (from + (to - from) * u + grain).clamp(0.0, 255.0) as u8
            })),
        }
    });
    let mut bytes = Vec::new();
    if index % 2 == 0 {
        let picture = DynamicImage::from(picture);
        picture.write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png)?;
    } else {
        JpegEncoder::new_with_quality(&mut bytes, 85)
            .encode_image(&picture)?;
    }
    Ok(bytes)
}

impl Source for Thumbs {
    fn len(&self) -> usize {
        match &self.pictures {
            Pictures::Drawn(drawn) => drawn.len(),
            Pictures::Files(files) => files.len(),
        }
    }

    fn summary(&self, jobs: usize) -> String {
        let jobs = line::count(jobs as u64, "thumbnail", "thumbnails");
        match &self.pictures {
            Pictures::Drawn(drawn) => {
                let bytes = drawn.iter().map(|it| it.len() as u64).sum();
                let count = drawn.len() as u64;
                let pictures = line::count(count, "picture", "pictures");
                format!(
                    "{jobs} of {pictures} that were drawn, {}",
                    line::bytes(bytes)
                )
            }
            Pictures::Files(files) => {
                let count = files.len() as u64;
                let pictures = line::count(count, "picture", "pictures");
                let root = line::path(files.root());
                format!("{jobs} of {pictures} under {root}")
            }
        }
    }

    fn describe(&self, index: u64) -> String {
        match &self.pictures {
            Pictures::Drawn(_) => format!("picture {index}"),
            Pictures::Files(files) => {
                format!("{} (job {index})", line::path(files.path(index)))
            }
        }
    }

    fn expected(&self, index: u64) -> Answer {
        self.answer(index, self.thumbnail(index))
    }

    fn run(&self, index: u64) -> Result<Answer, WorkError> {
        match self.thumbnail(index) {
            Err(Unread::File(error)) if error.is_no_handle() => {
                Err(WorkError::no_handle())
            }
            seen => Ok(self.answer(index, seen)),
        }
    }

    #[cfg(feature = "tokio")]
    fn run_async(&self, index: u64) -> Option<Running<'_>> {
        match &self.pictures {
            Pictures::Drawn(_) => Some(Box::pin(ready(self.run(index)))),
            // They are read, as those of `files` are.
            Pictures::Files(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawn_pictures_are_small_ones_and_a_few_large_and_always_the_same() {
        let all = Thumbs::new(None, 1).unwrap();
        let mut sizes = Vec::new();
        for index in 0..all.len() as u64 {
            let (small, bytes) = all.thumbnail(index).ok().unwrap();
            assert!(small.width().max(small.height()) == SIDE, "{index}");
            sizes.push(bytes);
        }
        sizes.sort_unstable();
        assert!(sizes[47] > 10 * sizes[24], "{sizes:?}");
        let again = Thumbs::new(None, 1).unwrap();
        assert_eq!(all.expected(7), again.expected(7));
        assert_ne!(all.expected(7), Thumbs::new(None, 2).unwrap().expected(7));
        let names = [0, 1].map(|it| drawn(1, it).unwrap());
        assert_eq!(&names[0][1..4], b"PNG");
        assert_eq!(&names[1][..2], [0xff, 0xd8]);
    }

    #[test]
    fn pictures_of_a_folder_are_read_and_what_is_none_is_an_answer_too() {
        let dir = tempfile::tempdir().unwrap();
        let refused = Thumbs::new(Some(dir.path()), 1).err().unwrap();
        assert!(refused.to_string().contains("no file under"), "{refused}");
        let file = |name: &str, bytes: &[u8]| {
            std::fs::write(dir.path().join(name), bytes).unwrap();
        };
        file("notes.txt", b"no picture");
        let refused = Thumbs::new(Some(dir.path()), 1).err().unwrap();
        assert!(
            refused.to_string().ends_with("allowed are .png, .jpg, .jpeg"),
            "{refused}"
        );
        file("a.png", &drawn(1, 0).unwrap());
        file("b.JPG", &drawn(1, 1).unwrap());
        file("broken.jpeg", b"no picture");
        // A header that promises a picture of 16 gigapixels.
        let mut bomb = drawn(1, 0).unwrap();
        bomb[16..24].copy_from_slice(&[0, 2, 0, 0, 0, 2, 0, 0]);
        file("bomb.png", &bomb);
        let all = Thumbs::new(Some(dir.path()), 1).unwrap();
        assert_eq!(all.len(), 4);
        let seen: Vec<bool> =
            (0..4).map(|it| all.thumbnail(it).is_ok()).collect();
        assert_eq!(seen, [true, true, false, false]);
        for index in 0..4 {
            assert_eq!(all.run(index), Ok(all.expected(index)));
        }
        assert!(all.describe(1).contains("b.JPG"));
    }
}

//! Pictures: what they tell of when and where they were taken, and a copy that tells nothing of it. Pure but for the
//! thread it works on; an original is never changed.

use std::io::Cursor;

use chrono::{DateTime, FixedOffset, NaiveDate, Utc};
use exif::{Exif, Field, In, Rational, Tag, Value};
use image::{
    DynamicImage, ExtendedColorType, ImageDecoder, ImageEncoder, ImageFormat, ImageReader, Limits,
    codecs::{jpeg::JpegEncoder, png::PngEncoder, webp::WebPEncoder},
};
use tokio::sync::Semaphore;

use crate::{
    domain::{Code, Error, Result},
    storage::MediaType,
};

/// Most pixels of a picture.
pub const MOST_PIXELS: u64 = 50_000_000;
/// Longest side of a picture.
const LONGEST_SIDE: u32 = 20_000;
/// Most memory that reading a picture may take.
const MOST_MEMORY: u64 = 256 * 1024 * 1024;
/// Quality of JPEG copies, of 100.
const QUALITY: u8 = 88;

/// Pictures are large once unfolded, so only one is at a time.
static ONE_AT_A_TIME: Semaphore = Semaphore::const_new(1);

/// A kind of picture of which a copy is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Jpeg,
    Png,
    Webp,
}

impl Kind {
    pub fn of(media_type: MediaType) -> Option<Self> {
        match media_type {
            MediaType::Jpeg => Some(Self::Jpeg),
            MediaType::Png => Some(Self::Png),
            MediaType::Webp => Some(Self::Webp),
            _ => None,
        }
    }

    const fn format(self) -> ImageFormat {
        match self {
            Self::Jpeg => ImageFormat::Jpeg,
            Self::Png => ImageFormat::Png,
            Self::Webp => ImageFormat::WebP,
        }
    }
}

/// What a picture tells of its taking.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Told {
    pub captured_at: Option<DateTime<Utc>>,
    /// Degrees north and east.
    pub place: Option<(f64, f64)>,
}

/// A picture read.
#[derive(Debug)]
pub struct Seen {
    pub told: Told,
    /// The picture without anything but its pixels, turned as it is meant to be seen.
    pub copy: Vec<u8>,
}

/// Reads a picture on a thread of its own.
pub async fn look(bytes: Vec<u8>, kind: Kind) -> Result<Seen> {
    let permit = ONE_AT_A_TIME.acquire().await.map_err(Error::internal)?;
    let seen = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        let told = told(&bytes);
        copy(&bytes, kind).map(|copy| Seen { told, copy })
    })
    .await
    .map_err(Error::internal)?;
    seen.map_err(|error| {
        tracing::info!(error = %error, "a picture could not be read");
        Error::refused(Code::PictureUnreadable).with("most", MOST_PIXELS)
    })
}

/// Writes a picture anew from its pixels.
fn copy(bytes: &[u8], kind: Kind) -> image::ImageResult<Vec<u8>> {
    let mut reader = ImageReader::with_format(Cursor::new(bytes), kind.format());
    let mut limits = Limits::default();
    limits.max_image_width = Some(LONGEST_SIDE);
    limits.max_image_height = Some(LONGEST_SIDE);
    limits.max_alloc = Some(MOST_MEMORY);
    reader.limits(limits);
    let mut decoder = reader.into_decoder()?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MOST_PIXELS {
        return Err(image::ImageError::Limits(image::error::LimitError::from_kind(
            image::error::LimitErrorKind::DimensionError,
        )));
    }
    let orientation = decoder.orientation()?;
    let mut picture = DynamicImage::from_decoder(decoder)?;
    picture.apply_orientation(orientation);
    let mut copy = Vec::new();
    match kind {
        Kind::Jpeg => {
            let plain = picture.into_rgb8();
            JpegEncoder::new_with_quality(&mut copy, QUALITY).write_image(
                &plain,
                plain.width(),
                plain.height(),
                ExtendedColorType::Rgb8,
            )?;
        }
        Kind::Png => picture.write_with_encoder(PngEncoder::new(&mut copy))?,
        Kind::Webp => {
            let plain = picture.into_rgba8();
            WebPEncoder::new_lossless(&mut copy).write_image(
                &plain,
                plain.width(),
                plain.height(),
                ExtendedColorType::Rgba8,
            )?;
        }
    }
    Ok(copy)
}

/// Reads time and place; what is missing or makes no sense is left out.
fn told(bytes: &[u8]) -> Told {
    let Ok(exif) = exif::Reader::new().read_from_container(&mut Cursor::new(bytes)) else {
        return Told::default();
    };
    Told { captured_at: captured_at(&exif), place: place(&exif) }
}

fn field(exif: &Exif, tag: Tag) -> Option<&Field> {
    exif.get_field(tag, In::PRIMARY)
}

fn ascii(exif: &Exif, tag: Tag) -> Option<&[u8]> {
    match &field(exif, tag)?.value {
        Value::Ascii(texts) => texts.first().map(Vec::as_slice),
        _ => None,
    }
}

/// The time with its offset. A camera that tells no offset is taken to have stood in China, where these places are.
fn captured_at(exif: &Exif) -> Option<DateTime<Utc>> {
    const CHINA: i32 = 8 * 3_600;
    let mut told = exif::DateTime::from_ascii(ascii(exif, Tag::DateTimeOriginal)?).ok()?;
    if let Some(offset) = ascii(exif, Tag::OffsetTimeOriginal) {
        // What cannot be read counts as not told.
        told.parse_offset(offset).ok();
    }
    let local = NaiveDate::from_ymd_opt(told.year.into(), told.month.into(), told.day.into())?.and_hms_opt(
        told.hour.into(),
        told.minute.into(),
        told.second.into(),
    )?;
    let offset = FixedOffset::east_opt(told.offset.map_or(CHINA, |minutes| i32::from(minutes) * 60))?;
    let at = local.and_local_timezone(offset).single()?.with_timezone(&Utc);
    (told.year >= 1970).then_some(at)
}

fn place(exif: &Exif) -> Option<(f64, f64)> {
    let latitude = degrees(exif, Tag::GPSLatitude, Tag::GPSLatitudeRef, b"S", 90.0)?;
    let longitude = degrees(exif, Tag::GPSLongitude, Tag::GPSLongitudeRef, b"W", 180.0)?;
    Some((latitude, longitude))
}

/// Degrees, minutes and seconds as one number, negative in the `negative` hemisphere.
fn degrees(exif: &Exif, tag: Tag, hemisphere: Tag, negative: &[u8], most: f64) -> Option<f64> {
    let Value::Rational(parts) = &field(exif, tag)?.value else {
        return None;
    };
    let part = |index: usize| parts.get(index).filter(|part| part.denom != 0).map(Rational::to_f64);
    let value = part(0)? + part(1).unwrap_or(0.0) / 60.0 + part(2).unwrap_or(0.0) / 3_600.0;
    let value = if ascii(exif, hemisphere) == Some(negative) { -value } else { value };
    (value.is_finite() && value.abs() <= most).then_some(value)
}

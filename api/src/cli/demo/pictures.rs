//! Small pictures as evidence: plain gradients that differ from each other, sent through the same verb as an upload.

use std::{convert::Infallible, io::Cursor};

use concord_entities::id::StoredFileId;
use futures_util::stream;
use image::{ImageFormat, Rgb, RgbImage};

use crate::domain::{Ctx, Error, Result, file};

/// Sends a picture, to be attached by the mutation that follows.
pub async fn send(ctx: &Ctx, serial: usize, name: &str) -> Result<StoredFileId> {
    let bytes = picture(serial)?;
    let chunks = stream::iter([Ok::<_, Infallible>(bytes)]);
    Ok(file::receive(ctx, chunks, Some(name)).await?.id)
}

/// A picture of its own for each serial number.
fn picture(serial: usize) -> Result<Vec<u8>> {
    let low = |value: usize| u8::try_from(value % 256).unwrap_or_default();
    let picture = RgbImage::from_fn(48, 32, |x, y| {
        let (x, y) = (x.to_be_bytes()[3], y.to_be_bytes()[3]);
        Rgb([
            low(serial * 7).wrapping_add(x),
            low(serial / 30).wrapping_add(y.wrapping_mul(3)),
            low(serial * 31),
        ])
    });
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png).map_err(Error::internal)?;
    Ok(bytes.into_inner())
}

//! Recognises the few types of file that are accepted as evidence, by their content and never by their name.
//!
//! What is not on the list is refused. It deliberately does not judge whether a file is intact or harmless: downloads
//! are attachments under a sandbox, and images are re-encoded elsewhere.

use infer::{archive, image, video};
use serde::{Deserialize, Serialize};

/// How much of the beginning is looked at.
const HEAD_BYTES: usize = 64 * 1_024;
const LOCAL_FILE_HEADER: &[u8] = b"PK\x03\x04";
/// Where the name of an entry begins in its local file header.
const ENTRY_NAME_OFFSET: usize = 30;
/// The part of an office file that holds macros.
const MACROS: &[u8] = b"vbaProject.bin";

/// A type of file that is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MediaType {
    Jpeg,
    Png,
    Webp,
    Gif,
    Pdf,
    Mp4,
    Docx,
    Xlsx,
    /// Plain UTF-8 text, CSV included: nothing in the content tells them apart.
    Text,
}

impl MediaType {
    /// Every accepted type.
    pub const ALL: [Self; 9] = [
        Self::Jpeg,
        Self::Png,
        Self::Webp,
        Self::Gif,
        Self::Pdf,
        Self::Mp4,
        Self::Docx,
        Self::Xlsx,
        Self::Text,
    ];

    /// Gives the name for `Content-Type`.
    pub const fn mime(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Webp => "image/webp",
            Self::Gif => "image/gif",
            Self::Pdf => "application/pdf",
            Self::Mp4 => "video/mp4",
            Self::Docx => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Text => "text/plain; charset=utf-8",
        }
    }

    /// Gives the usual ending of a file name.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::Webp => "webp",
            Self::Gif => "gif",
            Self::Pdf => "pdf",
            Self::Mp4 => "mp4",
            Self::Docx => "docx",
            Self::Xlsx => "xlsx",
            Self::Text => "txt",
        }
    }

    /// Finds the type of a name that `mime` gave.
    pub fn from_mime(mime: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|media_type| media_type.mime() == mime)
    }

    /// Tells whether it is a picture.
    pub const fn is_image(self) -> bool {
        matches!(self, Self::Jpeg | Self::Png | Self::Webp | Self::Gif)
    }
}

/// Recognises a whole file.
pub fn sniff(bytes: &[u8]) -> Option<MediaType> {
    let mut sniffer = Sniffer::default();
    sniffer.feed(bytes);
    sniffer.finish()
}

/// Recognises a file while it streams by; how it is cut into chunks makes no difference.
#[derive(Debug, Default)]
pub(super) struct Sniffer {
    head: Vec<u8>,
    text: TextCheck,
    macros: MacroCheck,
}

impl Sniffer {
    pub(super) fn feed(&mut self, chunk: &[u8]) {
        let missing = HEAD_BYTES.saturating_sub(self.head.len());
        self.head.extend(chunk.iter().take(missing));
        self.text.feed(chunk);
        if self.head.starts_with(LOCAL_FILE_HEADER) || self.head.len() < LOCAL_FILE_HEADER.len() {
            self.macros.feed(chunk);
        }
    }

    pub(super) fn finish(self) -> Option<MediaType> {
        let head = self.head.as_slice();
        // The library's signatures are short for some types, so the rest of each is required as well.
        if image::is_jpeg(head) {
            Some(MediaType::Jpeg)
        } else if image::is_png(head) && head.starts_with(b"\x89PNG\r\n\x1a\n") {
            Some(MediaType::Png)
        } else if image::is_webp(head) && head.starts_with(b"RIFF") {
            Some(MediaType::Webp)
        } else if image::is_gif(head) && (head.starts_with(b"GIF87a") || head.starts_with(b"GIF89a")) {
            Some(MediaType::Gif)
        } else if archive::is_pdf(head) && head.starts_with(b"%PDF-") {
            Some(MediaType::Pdf)
        } else if video::is_mp4(head) {
            Some(MediaType::Mp4)
        } else if head.starts_with(LOCAL_FILE_HEADER) {
            office(head).filter(|_| !self.macros.found)
        } else if self.text.is_text() && !looks_active(head) {
            Some(MediaType::Text)
        } else {
            None
        }
    }
}

/// Office files are zip archives; the folder of their main part tells which. The entries come in any order.
fn office(head: &[u8]) -> Option<MediaType> {
    const FIRST: [&[u8]; 5] = [b"[Content_Types].xml", b"_rels/", b"docProps/", b"word/", b"xl/"];
    let first = head.get(ENTRY_NAME_OFFSET..)?;
    if !FIRST.iter().any(|name| first.starts_with(name)) {
        return None;
    }
    let headers =
        head.windows(LOCAL_FILE_HEADER.len()).enumerate().filter(|(_, bytes)| *bytes == LOCAL_FILE_HEADER);
    let mut names = headers.filter_map(|(position, _)| head.get(position + ENTRY_NAME_OFFSET..));
    names.find_map(|name| {
        if name.starts_with(b"word/") {
            Some(MediaType::Docx)
        } else if name.starts_with(b"xl/") {
            Some(MediaType::Xlsx)
        } else {
            None
        }
    })
}

/// Markup and scripts are text too, but some programs run them.
fn looks_active(head: &[u8]) -> bool {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    head.starts_with(b"<") || head.starts_with(b"#!")
}

/// Looks for the name of the macro part, which stands uncompressed in the archive wherever the part itself is.
#[derive(Debug, Default)]
struct MacroCheck {
    tail: Vec<u8>,
    found: bool,
}

impl MacroCheck {
    fn feed(&mut self, chunk: &[u8]) {
        if self.found {
            return;
        }
        self.tail.extend_from_slice(chunk);
        self.found = self.tail.windows(MACROS.len()).any(|window| window.eq_ignore_ascii_case(MACROS));
        let done = self.tail.len().saturating_sub(MACROS.len() - 1);
        self.tail.drain(..done);
    }
}

/// Checks that all of a file is UTF-8 without control characters, a chunk at a time.
#[derive(Debug, Default)]
struct TextCheck {
    /// The beginning of a character whose rest is in the next chunk.
    carried: Vec<u8>,
    seen: bool,
    refused: bool,
}

impl TextCheck {
    fn feed(&mut self, chunk: &[u8]) {
        if self.refused || chunk.is_empty() {
            return;
        }
        self.seen = true;
        if chunk.iter().any(|byte| matches!(byte, 0..=8 | 11 | 14..=31 | 127)) {
            self.refused = true;
            return;
        }
        let mut joined = std::mem::take(&mut self.carried);
        let bytes = if joined.is_empty() {
            chunk
        } else {
            joined.extend_from_slice(chunk);
            &joined
        };
        if let Err(error) = std::str::from_utf8(bytes) {
            match error.error_len() {
                None => self.carried = bytes.get(error.valid_up_to()..).unwrap_or_default().to_vec(),
                Some(_) => self.refused = true,
            }
        }
    }

    fn is_text(&self) -> bool {
        self.seen && !self.refused && self.carried.is_empty()
    }
}

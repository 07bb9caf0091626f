//! Text on paper: shaped in the one font, broken into lines and pages, written as PDF/A-3. Pure; knows nothing of what is printed.

use chrono::{DateTime, Datelike, Timelike, Utc};
use krilla::{
    Document, SerializeSettings,
    configure::{Archival, ConfigurationBuilder},
    embed::{AssociationKind, EmbeddedFile, MimeType},
    geom::Point,
    metadata::{self, Metadata},
    page::PageSettings,
    text::{Font, GlyphId, KrillaGlyph},
};
use rustybuzz::{Direction, Face, UnicodeBuffer};

use crate::domain::{Code, Error, Result};

/// Noto Sans SC, as `make web` took it from its package; empty where it was not run.
static FONT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/NotoSansSC-Regular.ttf"));

/// A4, in points.
const SIZE: (f32, f32) = (595.0, 842.0);
/// What is left free on every side, in points.
const MARGIN: f32 = 56.0;
/// How wide a line may be.
pub const WIDTH: f32 = SIZE.0 - 2.0 * MARGIN;
/// From line to line, of a letter's size.
const LEADING: f32 = 1.5;
/// Printed for a character that the font has no sign for.
const UNPRINTABLE: char = '〓';
/// Size of the letters at the foot of a page.
const FOOT: f32 = 8.0;

/// A line with its place: from the left margin, and its baseline from the top of the page.
struct Line {
    left: f32,
    baseline: f32,
    size: f32,
    text: String,
    glyphs: Vec<KrillaGlyph>,
}

impl Line {
    fn width(&self) -> f32 {
        self.glyphs.iter().map(|glyph| glyph.x_advance).sum::<f32>() * self.size
    }
}

/// Sheets that text is written on from the top to the bottom.
pub struct Paper {
    face: Face<'static>,
    pages: Vec<Vec<Line>>,
    /// Where the next line begins, from the top of the last page.
    y: f32,
}

/// What a document says of itself and carries with it.
pub struct About {
    pub title: String,
    pub creator: String,
    pub issued_at: DateTime<Utc>,
    /// The name, the media type, a description and the bytes of a file.
    pub attached: (String, &'static str, String, Vec<u8>),
}

impl Paper {
    /// An empty sheet; refused where the font was left out.
    pub fn new() -> Result<Self> {
        let face = Face::from_slice(FONT, 0).ok_or_else(|| Error::refused(Code::FontMissing))?;
        Ok(Self { face, pages: vec![Vec::new()], y: MARGIN })
    }

    /// Leaves some points free.
    pub fn gap(&mut self, points: f32) {
        self.y += points;
    }

    /// A paragraph over the whole width.
    pub fn paragraph(&mut self, text: &str, size: f32) {
        let lines = self.lines(text, size, WIDTH);
        self.write(lines, 0.0);
    }

    /// A paragraph whose lines stand in the middle.
    pub fn centred(&mut self, text: &str, size: f32) {
        for line in self.lines(text, size, WIDTH) {
            let left = (WIDTH - line.width()) / 2.0;
            self.write(vec![line], left);
        }
    }

    /// A word and beside it, from `left` on, what it stands for.
    pub fn row(&mut self, label: &str, text: &str, size: f32, left: f32) {
        let (label, mut text) =
            (self.lines(label, size, left - size), self.lines(text, size, WIDTH - left).into_iter());
        // The label stays whole, beside the beginning of its text.
        let least = SIZE.1 - MARGIN - height(size) * lines_of(label.len().max(1));
        if self.y > least {
            self.turn();
        }
        let top = self.y;
        let beside: Vec<Line> = text.by_ref().take(label.len()).collect();
        self.write(label, 0.0);
        let below = std::mem::replace(&mut self.y, top);
        self.write(beside, left);
        self.y = self.y.max(below);
        self.write(text.collect(), left);
    }

    /// Writes lines one below the other, on as many pages as they take.
    fn write(&mut self, lines: Vec<Line>, left: f32) {
        for mut line in lines {
            if self.y + height(line.size) > SIZE.1 - MARGIN {
                self.turn();
            }
            line.left = left;
            line.baseline = self.y + line.size * 1.1;
            self.y += height(line.size);
            self.pages.last_mut().expect("there is a page from the start").push(line);
        }
    }

    fn turn(&mut self) {
        self.pages.push(Vec::new());
        self.y = MARGIN;
    }

    /// A text in lines of at most this width.
    fn lines(&self, text: &str, size: f32, width: f32) -> Vec<Line> {
        text.split(['\n', '\r', '\u{2028}', '\u{2029}'])
            .flat_map(|paragraph| self.broken(&self.printable(paragraph), size, width))
            .collect()
    }

    /// What can be printed of a text.
    fn printable(&self, text: &str) -> String {
        let is_seen = |letter: char| !matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}');
        text.chars()
            .filter(|letter| is_seen(*letter))
            .map(|letter| match letter {
                letter if letter.is_whitespace() || letter.is_control() => ' ',
                letter if self.face.glyph_index(letter).is_none() => UNPRINTABLE,
                letter => letter,
            })
            .collect()
    }

    /// One paragraph in lines, broken where its script allows it, or anywhere where nothing else fits.
    fn broken(&self, text: &str, size: f32, width: f32) -> Vec<Line> {
        let glyphs = self.shaped(text);
        let allowed: Vec<usize> = unicode_linebreak::linebreaks(text).map(|(at, _)| at).collect();
        let is_blank = |glyph: &KrillaGlyph| {
            text.get(glyph.text_range.clone()).is_none_or(|letters| letters.trim().is_empty())
        };
        let most = width / size;
        let mut lines = Vec::new();
        let mut rest = glyphs.as_slice();
        loop {
            let (mut taken, mut end) = (0.0, None);
            let mut fits = rest.len();
            for (at, glyph) in rest.iter().enumerate() {
                if at > 0 && allowed.binary_search(&glyph.text_range.start).is_ok() {
                    end = Some(at);
                }
                if at > 0 && taken + glyph.x_advance > most && !is_blank(glyph) {
                    fits = end.unwrap_or(at);
                    break;
                }
                taken += glyph.x_advance;
            }
            let (line, next) = rest.split_at(fits);
            let shown = line.iter().rposition(|glyph| !is_blank(glyph)).map_or(0, |last| last + 1);
            lines.push(cut(text, line.get(..shown).unwrap_or_default(), size));
            rest = next;
            if rest.is_empty() {
                return lines;
            }
        }
    }

    /// The signs of a text, left to right, with their sizes as parts of the letters' size.
    fn shaped(&self, text: &str) -> Vec<KrillaGlyph> {
        let mut buffer = UnicodeBuffer::new();
        buffer.push_str(text);
        buffer.guess_segment_properties();
        buffer.set_direction(Direction::LeftToRight);
        let shaped = rustybuzz::shape(&self.face, &[], buffer);
        let starts: Vec<usize> = shaped
            .glyph_infos()
            .iter()
            .map(|info| usize::try_from(info.cluster).unwrap_or(text.len()))
            .collect();
        let units = short(self.face.units_per_em());
        let of = |length: i32| short(length) / units;
        let signs = shaped.glyph_infos().iter().zip(shaped.glyph_positions()).zip(&starts);
        signs
            .map(|((sign, place), start)| {
                let end = starts.iter().find(|other| *other > start).copied().unwrap_or(text.len());
                KrillaGlyph::new(
                    GlyphId::new(sign.glyph_id),
                    of(place.x_advance),
                    of(place.x_offset),
                    of(place.y_offset),
                    of(place.y_advance),
                    *start..end,
                    None,
                )
            })
            .collect()
    }

    /// The document as PDF/A-3u; `foot` says what stands at the foot of a page, by its number and how many there are.
    pub fn finish(self, about: About, foot: impl Fn(usize, usize) -> String) -> Result<Vec<u8>> {
        let font = Font::new(FONT.into(), 0).ok_or_else(|| Error::refused(Code::FontMissing))?;
        let configuration = ConfigurationBuilder::new()
            .with_archival_validator(Archival::A3_U)
            .finish()
            .map_err(|error| Error::internal(format!("{error:?}")))?;
        let mut document = Document::new_with(SerializeSettings { configuration, ..Default::default() });
        let issued = moment(about.issued_at);
        document.set_metadata(
            Metadata::new()
                .title(about.title)
                .creator(about.creator)
                .language("zh-CN".to_owned())
                .creation_date(issued),
        );
        let (path, media_type, description, bytes) = about.attached;
        document
            .embed_file(EmbeddedFile {
                path,
                mime_type: MimeType::new(media_type),
                description: Some(description),
                association_kind: AssociationKind::Source,
                data: bytes.into(),
                modification_date: Some(issued),
                // It is read again without unfolding anything.
                compress: Some(false),
                location: None,
            })
            .ok_or_else(|| Error::internal("two files are attached under one name"))?;
        let feet: Vec<Line> = (1..=self.pages.len())
            .flat_map(|page| self.lines(&foot(page, self.pages.len()), FOOT, WIDTH).into_iter().take(1))
            .collect();
        for (lines, mut foot) in self.pages.into_iter().zip(feet) {
            let settings = PageSettings::from_wh(SIZE.0, SIZE.1)
                .ok_or_else(|| Error::internal("a page has no such size"))?;
            let mut page = document.start_page_with(settings);
            let mut surface = page.surface();
            (foot.left, foot.baseline) = ((WIDTH - foot.width()) / 2.0, SIZE.1 - MARGIN / 2.0);
            for line in lines.iter().chain([&foot]) {
                let start = Point::from_xy(MARGIN + line.left, line.baseline);
                surface.draw_glyphs(start, &line.glyphs, font.clone(), &line.text, line.size, false);
            }
            surface.finish();
            page.finish();
        }
        document.finish().map_err(|error| Error::internal(format!("{error:?}")))
    }
}

/// A line of its own out of a paragraph.
fn cut(text: &str, glyphs: &[KrillaGlyph], size: f32) -> Line {
    let from = glyphs.first().map_or(0, |glyph| glyph.text_range.start);
    let to = glyphs.last().map_or(from, |glyph| glyph.text_range.end);
    let mut glyphs = glyphs.to_vec();
    for glyph in &mut glyphs {
        glyph.text_range = glyph.text_range.start - from..glyph.text_range.end - from;
    }
    let text = text.get(from..to).unwrap_or_default().to_owned();
    Line { left: 0.0, baseline: 0.0, size, text, glyphs }
}

fn height(size: f32) -> f32 {
    size * LEADING
}

fn lines_of(count: usize) -> f32 {
    f32::from(u16::try_from(count).unwrap_or(u16::MAX))
}

/// A length of the font, which counts in sixteen bits.
fn short(length: i32) -> f32 {
    f32::from(i16::try_from(length).unwrap_or(i16::MAX))
}

fn moment(at: DateTime<Utc>) -> metadata::DateTime {
    let part = |number: u32| u8::try_from(number).unwrap_or(u8::MAX);
    metadata::DateTime::new(u16::try_from(at.year()).unwrap_or(9999))
        .month(part(at.month()))
        .day(part(at.day()))
        .hour(part(at.hour()))
        .minute(part(at.minute()))
        .second(part(at.second()))
        .utc_offset_hour(0)
        .utc_offset_minute(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Without the font there is nothing to lay out.
    fn paper() -> Option<Paper> {
        Paper::new().ok()
    }

    fn texts(lines: &[Line]) -> Vec<&str> {
        lines.iter().map(|line| line.text.as_str()).collect()
    }

    #[test]
    fn a_line_breaks_where_its_script_allows_it() {
        let Some(paper) = paper() else { return };
        // Ten signs of ten points are as wide as a line; no line begins with a full stop or a closing bracket.
        let lines = paper.lines("文庙街路面下沉已经平整。验收合格", 10.0, 110.0);
        assert_eq!(texts(&lines), ["文庙街路面下沉已经平", "整。验收合格"]);
        let lines = paper.lines("one two three four five", 10.0, 60.0);
        assert!(lines.iter().all(|line| line.width() <= 60.0), "{:?}", texts(&lines));
        assert_eq!(texts(&lines).join(" "), "one two three four five");
        let digest = "0123456789abcdef".repeat(4);
        let lines = paper.lines(&digest, 10.0, 60.0);
        assert!(lines.len() > 3 && lines.iter().all(|line| line.width() <= 60.0));
        assert_eq!(texts(&lines).concat(), digest);
    }

    #[test]
    fn what_has_no_sign_is_shown_to_be_there() {
        let Some(paper) = paper() else { return };
        assert_eq!(texts(&paper.lines("好😀\u{fe0f}的\ta\nb", 10.0, 400.0)), ["好〓的 a", "b"]);
        assert_eq!(texts(&paper.lines("", 10.0, 400.0)), [""]);
    }
}

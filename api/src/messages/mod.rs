//! Texts for people, by code and language. Everything else in the product speaks in codes.

use std::sync::LazyLock;

use fluent_bundle::{FluentArgs, FluentResource, concurrent::FluentBundle};

use crate::domain::error::Error;

/// A language we answer in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Locale {
    #[default]
    ZhCn,
    En,
}

impl Locale {
    pub const ALL: [Self; 2] = [Self::ZhCn, Self::En];

    pub const fn tag(self) -> &'static str {
        match self {
            Self::ZhCn => "zh-CN",
            Self::En => "en",
        }
    }

    /// Chooses by an `Accept-Language` header; zh-CN where it names neither language.
    pub fn choose(header: Option<&str>) -> Self {
        let mut best = (Self::ZhCn, 0.0_f32);
        for part in header.unwrap_or_default().split(',').take(20) {
            let mut pieces = part.split(';');
            let tag = pieces.next().unwrap_or_default().trim().to_ascii_lowercase();
            let quality = pieces
                .find_map(|piece| piece.trim().strip_prefix("q=").map(|q| q.parse().unwrap_or(0.0)))
                .unwrap_or(1.0);
            let language = match tag.split('-').next() {
                Some("zh") => Self::ZhCn,
                Some("en") => Self::En,
                _ => continue,
            };
            if quality > best.1 {
                best = (language, quality);
            }
        }
        best.0
    }
}

type Bundle = FluentBundle<FluentResource>;

static ZH_CN: LazyLock<Bundle> = LazyLock::new(|| bundle(Locale::ZhCn, include_str!("zh-CN.ftl")));
static EN: LazyLock<Bundle> = LazyLock::new(|| bundle(Locale::En, include_str!("en.ftl")));

fn bundle(locale: Locale, text: &'static str) -> Bundle {
    let mut bundle = Bundle::new_concurrent(vec![locale.tag().parse().expect("our own tags parse")]);
    // Isolation marks are for mixed scripts on a page; in JSON they are noise.
    bundle.set_use_isolating(false);
    let resource = FluentResource::try_new(text.to_owned()).expect("our own messages parse");
    bundle.add_resource(resource).expect("each message stands once");
    bundle
}

/// The text under `key`, or nothing where the language lacks it.
pub fn find(locale: Locale, key: &str, args: &[(&'static str, String)]) -> Option<String> {
    let bundle = match locale {
        Locale::ZhCn => &*ZH_CN,
        Locale::En => &*EN,
    };
    let pattern = bundle.get_message(key)?.value()?;
    let mut values = FluentArgs::new();
    for (name, value) in args {
        values.set(*name, value.as_str());
    }
    Some(bundle.format_pattern(pattern, Some(&values), &mut Vec::new()).into_owned())
}

/// What to tell a person about `error`.
pub fn of(error: &Error, locale: Locale) -> String {
    let args: Vec<(&'static str, String)> = match error {
        Error::Refused(refusal) => refusal.args.clone(),
        Error::NotFound(noun) => vec![("noun", (*noun).to_owned())],
        _ => Vec::new(),
    };
    find(locale, &error.code().message_key(), &args).unwrap_or_else(|| error.code().text().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Code;

    #[test]
    fn every_code_has_a_text_in_every_language() {
        let missing: Vec<_> = Locale::ALL
            .into_iter()
            .flat_map(|locale| Code::ALL.iter().map(move |code| (locale, *code)))
            .filter(|(locale, code)| find(*locale, &code.message_key(), &[]).is_none())
            .collect();
        assert!(missing.is_empty(), "codes without a text: {missing:?}");
    }

    #[test]
    fn the_language_follows_the_header() {
        assert_eq!(Locale::choose(None), Locale::ZhCn);
        assert_eq!(Locale::choose(Some("en-GB,en;q=0.9")), Locale::En);
        assert_eq!(Locale::choose(Some("fr, en;q=0.5, zh;q=0.8")), Locale::ZhCn);
        assert_eq!(Locale::choose(Some("fr;q=x,,;;")), Locale::ZhCn);
    }
}

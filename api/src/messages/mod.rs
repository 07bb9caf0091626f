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

/// The key of a code's message: the code in lower case with dashes.
pub fn key(code: &str) -> String {
    code.to_ascii_lowercase().replace('_', "-")
}

/// What to tell a person about `error`.
pub fn of(error: &Error, locale: Locale) -> String {
    let args: Vec<(&'static str, String)> = match error {
        // States are told as the schema writes them.
        Error::Refused(refusal) => refusal
            .args
            .iter()
            .map(|(name, value)| match *name {
                "state" => (*name, value.to_ascii_uppercase()),
                _ => (*name, value.clone()),
            })
            .collect(),
        Error::NotFound(noun) | Error::NotFoundAt(noun, _) => vec![("noun", (*noun).to_owned())],
        _ => Vec::new(),
    };
    find(locale, &error.code().message_key(), &args).unwrap_or_else(|| error.code().text().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{domain::Code, http::refusal::DoorCode};

    #[test]
    fn every_code_has_a_text_in_every_language() {
        let keys = || Code::ALL.iter().map(|code| code.message_key());
        let missing: Vec<_> = Locale::ALL
            .into_iter()
            .flat_map(|locale| keys().map(move |key| (locale, key)))
            .filter(|(locale, key)| find(*locale, key, &[]).is_none())
            .collect();
        assert!(missing.is_empty(), "codes without a text: {missing:?}");
    }

    #[test]
    fn every_code_of_the_door_is_one_of_the_schema() {
        let strange: Vec<_> = DoorCode::ALL
            .iter()
            .filter(|code| !Code::ALL.iter().any(|known| known.text() == code.as_str()))
            .collect();
        assert!(strange.is_empty(), "codes that clients cannot know: {strange:?}");
    }
}

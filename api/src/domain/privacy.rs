//! Masks for names and phone numbers: enough to recognise one's own, too little to call somebody else's.

/// The name of a person whose data was erased.
pub const ERASED: &str = "已注销";

/// `张三丰` becomes `张**`; the first character stays. Where nobody is named any more, nothing is hidden.
pub fn mask_name(name: &str) -> String {
    if name == ERASED {
        return name.to_owned();
    }
    let mut characters = name.chars();
    characters.next().map(|first| first.to_string() + &"*".repeat(characters.count())).unwrap_or_default()
}

/// `13912345678` becomes `139****5678`; shorter numbers keep their last two digits.
pub fn mask_phone(phone: &str) -> String {
    let characters: Vec<char> = phone.chars().collect();
    let (head, tail) = if characters.len() >= 11 { (3, 4) } else { (0, 2.min(characters.len() / 2)) };
    characters
        .iter()
        .enumerate()
        .map(
            |(index, character)| {
                if index < head || index + tail >= characters.len() { *character } else { '*' }
            },
        )
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_keep_what_recognises_and_hide_what_calls() {
        assert_eq!(mask_name("张三丰"), "张**");
        assert_eq!(mask_name(""), "");
        assert_eq!(mask_name(ERASED), "已注销");
        assert_eq!(mask_phone("13912345678"), "139****5678");
        assert_eq!(mask_phone("6543210"), "*****10");
        assert_eq!(mask_phone("1"), "*");
    }
}

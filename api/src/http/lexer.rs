//! A linear scan over GraphQL text and JSON bytes, made before any recursive parser sees them.
//!
//! It counts and bounds; it builds nothing and does not judge grammar beyond tokens.

use super::refusal::{DoorCode, Refusal};

/// The text has a character or an unclosed string that no GraphQL token allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unlexable {
    /// Where, in bytes from the start.
    pub offset: usize,
}

/// The tokens of a GraphQL text: comments, commas and white space are left out.
pub struct Tokens<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Tokens<'a> {
    /// Starts at the beginning of the text.
    pub fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    fn byte(&self, ahead: usize) -> Option<u8> {
        self.text.as_bytes().get(self.at.saturating_add(ahead)).copied()
    }

    fn skip_ignored(&mut self) {
        while let Some(byte) = self.byte(0) {
            match byte {
                b' ' | b'\t' | b'\n' | b'\r' | b',' => self.at += 1,
                0xEF if self.byte(1) == Some(0xBB) && self.byte(2) == Some(0xBF) => self.at += 3,
                b'#' => self.skip_while(|byte| !matches!(byte, b'\n' | b'\r')),
                _ => return,
            }
        }
    }

    fn skip_while(&mut self, keep: impl Fn(u8) -> bool) {
        while self.byte(0).is_some_and(&keep) {
            self.at += 1;
        }
    }

    fn number(&mut self) -> Option<()> {
        if self.byte(0) == Some(b'-') {
            self.at += 1;
        }
        match self.byte(0)? {
            // The parser ends an integer after a leading zero, so it counts the next digit as another token.
            b'0' => self.at += 1,
            b'1'..=b'9' => self.skip_while(|byte| byte.is_ascii_digit()),
            _ => return None,
        }
        if self.byte(0) == Some(b'.') && self.byte(1).is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
            self.skip_while(|byte| byte.is_ascii_digit());
        }
        if matches!(self.byte(0), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(self.byte(1), Some(b'+' | b'-')));
            if self.byte(1 + sign).is_some_and(|byte| byte.is_ascii_digit()) {
                self.at += 1 + sign;
                self.skip_while(|byte| byte.is_ascii_digit());
            }
        }
        Some(())
    }

    /// An unclosed string is refused here: the parser would read its content as tokens that were never counted.
    fn string(&mut self) -> Option<()> {
        if self.byte(1) == Some(b'"') && self.byte(2) == Some(b'"') {
            self.at += 3;
            loop {
                match self.byte(0)? {
                    b'"' if self.byte(1) == Some(b'"') && self.byte(2) == Some(b'"') => {
                        self.at += 3;
                        return Some(());
                    }
                    b'\\'
                        if self.byte(1) == Some(b'"')
                            && self.byte(2) == Some(b'"')
                            && self.byte(3) == Some(b'"') =>
                    {
                        self.at += 4;
                    }
                    _ => self.at += 1,
                }
            }
        }
        self.at += 1;
        loop {
            match self.byte(0)? {
                b'"' => {
                    self.at += 1;
                    return Some(());
                }
                b'\n' | b'\r' => return None,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
    }

    fn token(&mut self, first: u8) -> Option<()> {
        match first {
            b'!' | b'$' | b'&' | b'(' | b')' | b':' | b'=' | b'@' | b'[' | b']' | b'{' | b'|' | b'}' => {
                self.at += 1;
            }
            b'.' if self.byte(1) == Some(b'.') && self.byte(2) == Some(b'.') => self.at += 3,
            b'_' | b'a'..=b'z' | b'A'..=b'Z' => {
                self.skip_while(|byte| byte == b'_' || byte.is_ascii_alphanumeric());
            }
            b'-' | b'0'..=b'9' => self.number()?,
            b'"' => self.string()?,
            _ => return None,
        }
        Some(())
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Result<&'a str, Unlexable>;

    fn next(&mut self) -> Option<Self::Item> {
        self.skip_ignored();
        let start = self.at;
        let first = self.byte(0)?;
        let token = self.token(first).and_then(|()| self.text.get(start..self.at));
        if token.is_none() {
            self.at = self.text.len();
        }
        Some(token.ok_or(Unlexable { offset: start }))
    }
}

/// Refuses text with more tokens or deeper brackets than allowed; gives the number of tokens.
pub fn check_document(text: &str, max_tokens: usize, max_nesting: usize) -> Result<usize, Refusal> {
    let mut count = 0_usize;
    let mut nesting = 0_usize;
    for token in Tokens::new(text) {
        let token = token.map_err(|fault| {
            Refusal::new(DoorCode::ParseFailed)
                .with("detail", format!("unexpected input at byte {}", fault.offset))
        })?;
        count += 1;
        if count > max_tokens {
            return Err(Refusal::over(DoorCode::TooManyTokens, max_tokens));
        }
        match token {
            "{" | "[" | "(" => nesting += 1,
            "}" | "]" | ")" => nesting = nesting.saturating_sub(1),
            _ => {}
        }
        if nesting > max_nesting {
            return Err(Refusal::over(DoorCode::NestingTooDeep, max_nesting));
        }
    }
    Ok(count)
}

/// Refuses JSON bytes that open more brackets at once than allowed, whatever else is wrong with them.
pub fn check_json_nesting(bytes: &[u8], max_nesting: usize) -> Result<(), Refusal> {
    let mut nesting = 0_usize;
    let mut in_string = false;
    let mut escaped = false;
    for &byte in bytes {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'{' | b'[' => nesting += 1,
            b'}' | b']' => nesting = nesting.saturating_sub(1),
            _ => {}
        }
        if nesting > max_nesting {
            return Err(Refusal::over(DoorCode::JsonTooDeep, max_nesting));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<&str> {
        Tokens::new(text).map(|token| token.unwrap()).collect()
    }

    #[test]
    fn tokens_leave_out_what_graphql_ignores() {
        assert_eq!(
            texts(
                "\u{feff}query A($a: [Int!] = [1,-2.5e+3]) { # note\n b(c: \"x\\\" y\", d: \"\"\"z \" \\\"\"\" z\"\"\") ...F }"
            ),
            [
                "query",
                "A",
                "(",
                "$",
                "a",
                ":",
                "[",
                "Int",
                "!",
                "]",
                "=",
                "[",
                "1",
                "-2.5e+3",
                "]",
                ")",
                "{",
                "b",
                "(",
                "c",
                ":",
                "\"x\\\" y\"",
                "d",
                ":",
                "\"\"\"z \" \\\"\"\" z\"\"\"",
                ")",
                "...",
                "F",
                "}"
            ]
        );
    }

    #[test]
    fn digits_that_the_parser_would_split_are_split() {
        assert_eq!(texts("1-1-1"), ["1", "-1", "-1"]);
        assert_eq!(texts("007"), ["0", "0", "7"]);
    }

    #[test]
    fn unclosed_strings_and_foreign_characters_are_refused() {
        for text in
            ["{ a(b: \"x) }", "{ a(b: \"\"\"x\" a a a) }", "{ a ; b }", "{ a .. b }", "{ \u{1F600} }", "-"]
        {
            assert!(Tokens::new(text).any(|token| token.is_err()), "{text}");
        }
    }

    #[test]
    fn exactly_the_limit_of_tokens_and_brackets_passes() {
        assert_eq!(check_document("{ a b }", 4, 1), Ok(4));
        assert!(check_document("{ a b }", 3, 1).is_err_and(|refusal| refusal.is(DoorCode::TooManyTokens)));
        assert_eq!(check_document("{ a { b } }", 10, 2), Ok(6));
        assert!(
            check_document("{ a { b } }", 10, 1).is_err_and(|refusal| refusal.is(DoorCode::NestingTooDeep))
        );
    }

    #[test]
    fn json_nesting_is_counted_outside_strings() {
        assert!(check_json_nesting(br#"{"a":["[[[[\"[[[["]}"#, 2).is_ok());
        assert!(
            check_json_nesting(br#"{"a":[[]]}"#, 2).is_err_and(|refusal| refusal.is(DoorCode::JsonTooDeep))
        );
        let bomb = vec![b'['; 1 << 20];
        assert!(check_json_nesting(&bomb, 32).is_err());
    }
}

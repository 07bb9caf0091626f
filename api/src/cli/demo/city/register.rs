//! The official register of Jiamusi, embedded, and the roster of the city's units.

use crate::{
    cli::demo::story::missing,
    domain::{Ctx, Result},
    import::{
        Options, Source,
        regions::{self, Register},
    },
};

/// The files of the register under the names they have in the package they were taken from.
const FILES: [(&str, &str); 5] = [
    ("provinces.csv", include_str!("regions/provinces.csv")),
    ("cities.csv", include_str!("regions/cities.csv")),
    ("areas.csv", include_str!("regions/areas.csv")),
    ("streets.csv", include_str!("regions/streets.csv")),
    ("villages.csv", VILLAGES),
];
const VILLAGES: &str = include_str!("regions/villages.csv");

/// The city's division code.
pub const CITY: &str = "2308";
/// How many units answer the order.
pub const UNITS: usize = 1_200;

/// Imports the register.
pub async fn bring_in(system: &Ctx) -> Result<()> {
    let sources = FILES.map(|(name, text)| Source { name: name.to_owned(), bytes: text.as_bytes().to_vec() });
    let report = regions::run(system, &Register::of(sources), Options::default()).await?;
    if report.refused() == 0 { Ok(()) } else { Err(missing("rows of its register")) }
}

/// Codes of the city's communities and villages, in the order of the register.
pub fn communities() -> Vec<&'static str> {
    VILLAGES.lines().skip(1).filter_map(|line| line.split(',').next()).collect()
}

/// The city's units as a clerk would hand them over.
pub fn roster() -> Source {
    let mut lines = vec!["单位名称,类别,统一社会信用代码,联络员,职务,电话".to_owned()];
    lines.extend((1..=UNITS).map(|number| {
        let (kind, class) = match number % 4 {
            0 => ("企业", "ENTERPRISE"),
            1 => ("机关", "GOVERNMENT_UNIT"),
            2 => ("事业单位", "PUBLIC_INSTITUTION"),
            _ => ("社会组织", "SOCIAL_ORGANIZATION"),
        };
        format!("佳木斯市第{number:04}{kind}(演示),{class},,联络员,干事,")
    }));
    Source { name: "units.csv".to_owned(), bytes: lines.join("\n").into_bytes() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_register_is_the_citys() {
        let rows = FILES.map(|(_, text)| text.lines().count() - 1);
        assert_eq!(rows, [1, 1, 10, 138, 1_529]);
        assert!(communities().iter().all(|code| code.len() == 12 && code.starts_with(CITY)));
    }
}

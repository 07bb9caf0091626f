//! The official register of Haibei, embedded, and brought in as `concord import regions` brings in the whole country.

use super::story::missing;
use crate::{
    domain::{Ctx, Result},
    import::{
        Options, Source,
        regions::{self, Register},
    },
};

/// The files of the register under the names they have in the package they were taken from.
pub const FILES: [(&str, &str); 5] = [
    ("provinces.csv", include_str!("regions/provinces.csv")),
    ("cities.csv", include_str!("regions/cities.csv")),
    ("areas.csv", include_str!("regions/areas.csv")),
    ("streets.csv", include_str!("regions/streets.csv")),
    ("villages.csv", include_str!("regions/villages.csv")),
];

/// Codes of the story's places.
pub const PREFECTURE: &str = "6322";
pub const COUNTY: &str = "632223";
pub const TOWN: &str = "632223101";
pub const NEIGHBOUR_TOWN: &str = "632224100";

/// Imports the register.
pub async fn bring_in(system: &Ctx) -> Result<()> {
    let sources = FILES.map(|(name, text)| Source { name: name.to_owned(), bytes: text.as_bytes().to_vec() });
    let report = regions::run(system, &Register::of(sources), Options::default()).await?;
    if report.refused() == 0 { Ok(()) } else { Err(missing("rows of its register")) }
}

/// Code and official name of the communities of a town.
pub fn communities(town: &str) -> Vec<(&'static str, &'static str)> {
    let (_, villages) = FILES[4];
    villages
        .lines()
        .skip(1)
        .filter_map(|line| line.split_once(','))
        .filter_map(|(code, rest)| Some((code, rest.split(',').next()?)))
        .filter(|(code, name)| code.starts_with(town) && name.contains("社区"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_town_has_its_four_communities() {
        let names: Vec<&str> = communities(TOWN).into_iter().map(|(_, name)| name).collect();
        assert_eq!(names, ["城南", "城北", "城东", "城西"].map(|side| format!("{side}社区居民委员会")));
    }
}

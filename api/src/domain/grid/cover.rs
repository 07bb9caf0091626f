//! Which places are covered, told by the paths of regions alone. Pure: knows no database.

use std::collections::BTreeSet;

/// Places that are covered, each with all that lies below it.
#[derive(Clone, Debug, Default)]
pub struct Cover(BTreeSet<String>);

impl FromIterator<String> for Cover {
    fn from_iter<I: IntoIterator<Item = String>>(paths: I) -> Self {
        Self(paths.into_iter().collect())
    }
}

impl Cover {
    /// Whether the place is covered, by itself or by something above it.
    pub fn covers(&self, path: &str) -> bool {
        ancestry(path).any(|above| self.0.contains(above))
    }

    /// Whether something below the place is covered, or the place itself.
    pub fn touches(&self, path: &str) -> bool {
        self.0.range(path.to_owned()..).next().is_some_and(|first| first.starts_with(path))
    }
}

/// The paths of a place and of everything above it, from the root on.
pub fn ancestry(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').skip(1).filter_map(|(at, _)| path.get(..=at))
}

/// Pairs of places of which one holds the other, or that are the same; each as places in the list given.
pub fn nested(paths: &[&str]) -> Vec<(usize, usize)> {
    let mut order: Vec<usize> = (0..paths.len()).collect();
    let path = |at: usize| paths.get(at).copied().unwrap_or_default();
    // Whatever begins with a path follows it at once.
    order.sort_by_key(|at| (path(*at), *at));
    let (mut above, mut found): (Vec<usize>, Vec<_>) = (Vec::new(), Vec::new());
    for at in order {
        above.retain(|outer| path(at).starts_with(path(*outer)));
        found.extend(above.iter().map(|outer| (*outer, at)));
        above.push(at);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cover(paths: &[&str]) -> Cover {
        paths.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_lies_below_is_covered_and_what_lies_above_is_touched() {
        let cover = cover(&["/41/4113/", "/63/6322/a/"]);
        assert!(cover.covers("/41/4113/") && cover.covers("/41/4113/x/y/"));
        assert!(!cover.covers("/41/") && !cover.covers("/41/41130/"));
        assert!(cover.touches("/63/") && cover.touches("/63/6322/a/"));
        assert!(!cover.touches("/63/6322/b/") && !cover.touches("/41/4113/x/"));
        assert!(!Cover::default().covers("/63/") && !Cover::default().touches("/63/"));
    }

    #[test]
    fn a_place_and_everything_above_it() {
        assert_eq!(ancestry("/41/4113/x/").collect::<Vec<_>>(), ["/41/", "/41/4113/", "/41/4113/x/"]);
        assert_eq!(ancestry("/").count(), 0);
    }

    #[test]
    fn places_within_each_other_are_found() {
        let mut found = nested(&["/a/b/", "/a/", "/c/", "/a/b/", "/a0/", "/a/b/c/"]);
        found.sort_unstable();
        assert_eq!(found, [(0, 3), (0, 5), (1, 0), (1, 3), (1, 5), (3, 5)]);
        assert_eq!(nested(&["/a/", "/b/"]), []);
    }
}

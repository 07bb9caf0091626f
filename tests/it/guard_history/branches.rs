//! What the triggers of Party branches refuse.

use super::cases::{Case, case};

/// Another Party organisation beside the specimen, with its identifier, parent and count given as expressions of that.
fn branch(id: &str, kind: &str, parent: &str, count: &str) -> String {
    format!(
        "INSERT INTO party_branch (id, alliance_id, kind, parent_id, name, is_temporary, member_count, since_on, created_at, version)
         SELECT {id}, alliance_id, '{kind}', {parent}, 'other', is_temporary, {count}, since_on, created_at, 1
         FROM party_branch"
    )
}

/// A branch of ten below the specimen, with a group of five.
const GROUP: [&str; 2] = [
    "INSERT INTO party_branch (id, alliance_id, kind, parent_id, name, is_temporary, member_count, since_on, created_at, version)
     SELECT alliance_id, alliance_id, 'branch', id, 'other', is_temporary, 10, since_on, created_at, 1 FROM party_branch",
    "INSERT INTO party_branch (id, alliance_id, kind, parent_id, name, is_temporary, member_count, since_on, created_at, version)
     SELECT a.committee_organization_id, b.alliance_id, 'party_group', b.id, 'group', b.is_temporary, 5, b.since_on, b.created_at, 1
     FROM party_branch b JOIN alliance a ON a.id = b.alliance_id WHERE b.kind = 'branch'",
];

/// Another host of the specimen's branch.
fn host(columns: &str, values: &str) -> String {
    format!(
        "INSERT INTO branch_host (id, alliance_id, branch_id, since_on, {columns})
         SELECT branch_id, alliance_id, branch_id, since_on, {values} FROM branch_host"
    )
}

pub fn cases() -> Vec<Case> {
    vec![
        case("party_branch_is_kept", "never deleted", &["DELETE FROM party_branch"]),
        case("branch_host_is_kept", "stays on record", &["DELETE FROM branch_host"]),
        case("branch_member_count_is_kept", "stay on record", &["DELETE FROM branch_member_count"]),
        case(
            "branch_member_count_is_not_edited",
            "stay on record",
            &["UPDATE branch_member_count SET member_count = 1"],
        ),
        case("branch_matter_is_kept", "stays on record", &["DELETE FROM branch_matter"]),
        case(
            "branch_matter_is_not_edited",
            "stays on record",
            &[
                "UPDATE branch_matter SET problem_id = NULL",
                "UPDATE branch_matter SET task_id = problem_id",
                "UPDATE branch_matter SET whistle_id = id",
                "UPDATE branch_matter SET branch_id = id",
                "UPDATE branch_matter SET alliance_id = id",
                "UPDATE branch_matter SET linked_at = '2027-01-05 01:00:00.000000+00:00'",
                "UPDATE branch_matter SET linked_by = id",
            ],
        ),
        case("branch_instructor_is_kept", "stay on record", &["DELETE FROM branch_instructor"]),
        case(
            "party_branch_is_born_below",
            "a standing one of an earlier kind",
            &[
                &branch("alliance_id", "general_branch", "id", "NULL"),
                &branch("alliance_id", "committee", "id", "NULL"),
                &branch("alliance_id", "party_group", "id", "NULL"),
                &branch("alliance_id", "party_group", "NULL", "NULL"),
                &branch("alliance_id", "branch", "alliance_id", "NULL"),
            ],
        ),
        case(
            "party_branch_is_born_below",
            "a standing one of an earlier kind",
            &[&branch("alliance_id", "branch", "id", "NULL")],
        )
        .after(&["UPDATE party_branch SET until_on = '2026-08-01'"]),
        case(
            "party_branch_moves_below",
            "a standing one of an earlier kind",
            &[
                "UPDATE party_branch SET parent_id = id",
                "UPDATE party_branch SET parent_id = (SELECT id FROM party_branch WHERE kind = 'branch')
                 WHERE kind = 'general_branch'",
            ],
        )
        .after(&[&branch("alliance_id", "branch", "id", "NULL")]),
        case(
            "party_branch_keeps_its_kind",
            "keeps its kind and its days",
            &[
                "UPDATE party_branch SET kind = 'branch'",
                "UPDATE party_branch SET alliance_id = id",
                "UPDATE party_branch SET since_on = '2026-02-01'",
                "UPDATE party_branch SET member_count = -1",
                "UPDATE party_branch SET until_on = '2025-12-31'",
            ],
        ),
        case(
            "party_branch_keeps_its_kind",
            "keeps its kind and its days",
            &["UPDATE party_branch SET until_on = NULL"],
        )
        .after(&["UPDATE party_branch SET until_on = '2026-08-01'"]),
        case(
            "party_branch_ends_after_those_below",
            "still stand below",
            &["UPDATE party_branch SET until_on = '2026-08-01' WHERE kind = 'general_branch'"],
        )
        .after(&[&branch("alliance_id", "branch", "id", "NULL")]),
        case(
            "party_branch_counts_its_groups",
            "no fewer members than its groups",
            &["UPDATE party_branch SET member_count = 4 WHERE kind = 'branch'"],
        )
        .after(&GROUP),
        case(
            "party_group_is_born_within_its_branch",
            "no fewer members than its groups",
            &["INSERT INTO party_branch (id, alliance_id, kind, parent_id, name, is_temporary, member_count, since_on, created_at, version)
               SELECT parent_id, alliance_id, kind, parent_id, 'third', is_temporary, 6, since_on, created_at, 1
               FROM party_branch WHERE kind = 'party_group'"],
        )
        .after(&GROUP),
        case(
            "party_group_stays_within_its_branch",
            "no fewer members than its groups",
            &["UPDATE party_branch SET member_count = 11 WHERE kind = 'party_group'"],
        )
        .after(&GROUP),
        case(
            "branch_host_is_one_thing",
            "one thing of its kind",
            &[
                &host("kind, region_id", "'region', NULL"),
                &host("kind, region_id, name", "'compound', branch_id, 'x'"),
                &host("kind, cell_id, name", "'grid_cell', branch_id, 'x'"),
                &host("kind, organization_id, region_id", "'organization', branch_id, branch_id"),
                &host("kind, name", "'fleet', NULL"),
                &host("kind, name, organization_id", "'market', 'x', branch_id"),
                &host("kind, name", "'other', 'x'"),
            ],
        ),
        case(
            "branch_host_is_not_edited",
            "stays on record",
            &[
                "UPDATE branch_host SET branch_id = id",
                "UPDATE branch_host SET alliance_id = id",
                "UPDATE branch_host SET kind = 'fleet'",
                "UPDATE branch_host SET region_id = id",
                "UPDATE branch_host SET cell_id = id",
                "UPDATE branch_host SET organization_id = NULL",
                "UPDATE branch_host SET name = 'other'",
                "UPDATE branch_host SET since_on = '2026-02-01'",
                "UPDATE branch_host SET until_on = '2025-12-31'",
            ],
        ),
        case("branch_host_is_not_edited", "stays on record", &["UPDATE branch_host SET until_on = NULL"])
            .after(&["UPDATE branch_host SET until_on = '2026-08-01'"]),
        case(
            "branch_matter_is_one_thing",
            "a problem, a task or a whistle",
            &[
                "INSERT INTO branch_matter (id, alliance_id, branch_id, linked_at)
                 SELECT branch_id, alliance_id, branch_id, linked_at FROM branch_matter",
                "INSERT INTO branch_matter (id, alliance_id, branch_id, problem_id, task_id, linked_at)
                 SELECT branch_id, alliance_id, branch_id, problem_id, problem_id, linked_at FROM branch_matter",
            ],
        ),
        case(
            "branch_instructor_serves_one_place",
            "serves one place",
            &[
                "INSERT INTO branch_instructor (id, alliance_id, organization_id, name, since_on, created_at, version)
                 SELECT alliance_id, alliance_id, organization_id, name, since_on, created_at, 1 FROM branch_instructor",
                "INSERT INTO branch_instructor (id, alliance_id, organization_id, name, market, region_id, since_on, created_at, version)
                 SELECT alliance_id, alliance_id, organization_id, name, 'x', alliance_id, since_on, created_at, 1
                 FROM branch_instructor",
            ],
        ),
        case(
            "branch_instructor_is_not_edited",
            "stay on record",
            &[
                "UPDATE branch_instructor SET alliance_id = id",
                "UPDATE branch_instructor SET organization_id = id",
                "UPDATE branch_instructor SET served_organization_id = NULL",
                "UPDATE branch_instructor SET region_id = id",
                "UPDATE branch_instructor SET cell_id = id",
                "UPDATE branch_instructor SET market = 'other'",
                "UPDATE branch_instructor SET since_on = '2026-02-01'",
                "UPDATE branch_instructor SET until_on = '2025-12-31'",
            ],
        ),
        case(
            "branch_instructor_is_not_edited",
            "stay on record",
            &["UPDATE branch_instructor SET until_on = NULL"],
        )
        .after(&["UPDATE branch_instructor SET until_on = '2026-08-01'"]),
    ]
}

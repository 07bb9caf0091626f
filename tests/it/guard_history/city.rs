//! What the triggers of grids and mobilisations refuse.

use super::cases::{Case, case};

/// Another cell beside the specimen, with its identifier, parent and level given as expressions of that.
fn cell(id: &str, parent: &str, level: &str) -> String {
    format!(
        "INSERT INTO grid_cell (id, alliance_id, network_id, parent_id, code, name, level, category, since_on, created_at, version)
         SELECT {id}, alliance_id, network_id, {parent}, 'other', name, {level}, category, since_on, created_at, 1
         FROM grid_cell"
    )
}

/// Another pairing of the same unit with the same place.
fn paired(since: &str, until: &str) -> String {
    format!(
        "INSERT INTO pairing (id, alliance_id, organization_id, region_id, since_on, until_on, recorded_at, version)
         SELECT alliance_id, alliance_id, organization_id, region_id, {since}, {until}, recorded_at, 1 FROM pairing"
    )
}

/// An order like the one there is.
fn ordered(state: &str) -> String {
    format!(
        "INSERT INTO mobilization (id, alliance_id, year, seq, ordinal, number, title, reason, state, territory, drafted_at,
             issued_at, version)
         SELECT alliance_id, alliance_id, year, 0, 0, number, title, reason, '{state}', territory, drafted_at, issued_at, 1
         FROM mobilization"
    )
}

pub fn cases() -> Vec<Case> {
    vec![
        case("grid_network_is_kept", "never deleted", &["DELETE FROM grid_network"]),
        case(
            "grid_network_is_not_edited",
            "keeps its alliance and kind",
            &["UPDATE grid_network SET kind = 'police'"],
        ),
        case("grid_cell_is_kept", "never deleted", &["DELETE FROM grid_cell"]),
        case("grid_cell_region_is_kept", "stays on record", &["DELETE FROM grid_cell_region"]),
        case("grid_officer_is_kept", "stays on record", &["DELETE FROM grid_officer"]),
        case(
            "grid_cell_stands_below_its_parent",
            "below one of the level above",
            &[
                &cell("alliance_id", "id", "level"),
                &cell("alliance_id", "id", "level + 2"),
                &cell("alliance_id", "alliance_id", "level + 1"),
                &cell("alliance_id", "NULL", "6"),
                &cell("alliance_id", "NULL", "0"),
            ],
        ),
        case(
            "grid_cell_keeps_its_place",
            "keeps its place and its days",
            &[
                "UPDATE grid_cell SET level = 4",
                "UPDATE grid_cell SET code = 'other'",
                "UPDATE grid_cell SET category = 'special'",
                "UPDATE grid_cell SET network_id = id",
                "UPDATE grid_cell SET alliance_id = id",
                "UPDATE grid_cell SET parent_id = id",
                "UPDATE grid_cell SET since_on = '2026-02-01'",
                "UPDATE grid_cell SET until_on = '2025-12-31'",
            ],
        ),
        case(
            "grid_cell_keeps_its_place",
            "keeps its place and its days",
            &["UPDATE grid_cell SET until_on = NULL", "UPDATE grid_cell SET until_on = '2026-09-01'"],
        )
        .after(&["UPDATE grid_cell SET until_on = '2026-08-01'"]),
        case(
            "grid_cells_do_not_overlap",
            "of one level cover one place",
            &["INSERT INTO grid_cell_region (cell_id, region_id, since_on, alliance_id)
               SELECT c.id, t.region_id, '2026-05-01', t.alliance_id FROM grid_cell_region t, grid_cell c
               WHERE c.id <> t.cell_id"],
        )
        .after(&[&cell("alliance_id", "NULL", "level")]),
        case(
            "grid_cell_region_is_not_edited",
            "stays on record",
            &[
                "UPDATE grid_cell_region SET cell_id = region_id",
                "UPDATE grid_cell_region SET region_id = cell_id",
                "UPDATE grid_cell_region SET alliance_id = cell_id",
                "UPDATE grid_cell_region SET since_on = '2026-02-01'",
                "UPDATE grid_cell_region SET until_on = '2025-12-31'",
            ],
        ),
        case(
            "grid_cell_region_is_not_edited",
            "stays on record",
            &["UPDATE grid_cell_region SET until_on = NULL"],
        )
        .after(&["UPDATE grid_cell_region SET until_on = '2026-08-01'"]),
        case(
            "grid_officer_is_dated",
            "no earlier than it began",
            &["INSERT INTO grid_officer (id, alliance_id, cell_id, organization_id, role, name, is_main, since_on, until_on,
                created_at, version)
               SELECT alliance_id, alliance_id, cell_id, organization_id, role, name, FALSE, '2026-05-01', '2026-04-30',
                created_at, 1 FROM grid_officer"],
        ),
        case(
            "grid_officer_keeps_the_post",
            "stays on record",
            &[
                "UPDATE grid_officer SET cell_id = id",
                "UPDATE grid_officer SET alliance_id = id",
                "UPDATE grid_officer SET organization_id = id",
                "UPDATE grid_officer SET role = 'grid_head'",
                "UPDATE grid_officer SET is_main = FALSE",
                "UPDATE grid_officer SET since_on = '2026-02-01'",
                "UPDATE grid_officer SET until_on = '2025-12-31'",
            ],
        ),
        case("grid_officer_keeps_the_post", "stays on record", &["UPDATE grid_officer SET until_on = NULL"])
            .after(&["UPDATE grid_officer SET until_on = '2026-08-01'"]),
        case("pairing_is_kept", "never deleted", &["DELETE FROM pairing"]),
        case(
            "pairing_stands_once",
            "once at a time",
            &[&paired("since_on", "NULL"), &paired("since_on", "'9999-01-01'"), &paired("'2000-01-01'", "NULL")],
        ),
        case(
            "pairing_stays_once",
            "once at a time",
            &["UPDATE pairing SET until_on = '2026-02-02' WHERE since_on = '2026-01-01'"],
        )
        .after(&[
            "UPDATE pairing SET since_on = '2026-02-01', until_on = '2026-03-01'",
            &paired("'2026-01-01'", "'2026-02-01'"),
        ]),
        case(
            "pairing_ends_after_it_begins",
            "no earlier than it begins",
            &[&paired("'2000-01-02'", "'2000-01-01'")],
        ),
        case(
            "pairing_is_ended_after_it_begins",
            "no earlier than it begins",
            &["UPDATE pairing SET until_on = '2000-01-01'"],
        ),
        case("home_report_is_kept", "never deleted", &["DELETE FROM home_report"]),
        case("mobilization_is_kept", "never deleted", &["DELETE FROM mobilization"]),
        case(
            "mobilization_keeps_its_number",
            "keeps its alliance and number",
            &[
                "UPDATE mobilization SET number = 'other'",
                "UPDATE mobilization SET seq = seq + 1",
                "UPDATE mobilization SET year = year + 1",
                "UPDATE mobilization SET ordinal = ordinal + 1",
                "UPDATE mobilization SET alliance_id = id",
            ],
        ),
        case(
            "mobilization_ends_once",
            "ends once",
            &["UPDATE mobilization SET state = 'draft'", "UPDATE mobilization SET state = 'discarded'"],
        ),
        case(
            "mobilization_ends_once",
            "ends once",
            &["UPDATE mobilization SET state = 'draft'", "UPDATE mobilization SET ended_at = NULL"],
        )
        .after(&["UPDATE mobilization SET state = 'stood_down', ended_at = issued_at"]),
        case(
            "mobilization_is_issued_over_a_region",
            "issued over a region",
            &["UPDATE mobilization SET state = 'issued' WHERE state = 'draft'"],
        )
        .after(&[&ordered("draft")]),
        case(
            "mobilization_is_issued_over_a_region",
            "issued over a region",
            &["UPDATE mobilization SET state = 'issued', issued_at = NULL WHERE state = 'draft'"],
        )
        .after(&[
            &ordered("draft"),
            "INSERT INTO mobilization_region (mobilization_id, region_id, path)
             SELECT m.id, r.region_id, r.path FROM mobilization m, mobilization_region r WHERE m.state = 'draft'",
        ]),
        case(
            "mobilization_need_is_of_people",
            "1 to 1,000,000 people",
            &[
                "INSERT INTO mobilization_need (id, mobilization_id, region_id, work, needed, set_at)
                 SELECT mobilization_id, mobilization_id, region_id, 'other', 0, set_at FROM mobilization_need",
                "INSERT INTO mobilization_need (id, mobilization_id, region_id, work, needed, set_at)
                 SELECT mobilization_id, mobilization_id, region_id, 'other', 1000001, set_at FROM mobilization_need",
            ],
        ),
        case(
            "mobilization_need_stays_of_people",
            "0 to 1,000,000 people",
            &[
                "UPDATE mobilization_need SET needed = -1",
                "UPDATE mobilization_need SET needed = 1000001",
            ],
        ),
        case(
            "mobilization_unit_has_a_quota",
            "sends somebody",
            &["INSERT INTO mobilization_unit (id, mobilization_id, alliance_id, organization_id, quota, state, called_at, version)
               SELECT mobilization_id, mobilization_id, alliance_id, organization_id, 0, state, called_at, 1
               FROM mobilization_unit"],
        ),
        case(
            "mobilization_unit_stays_called",
            "stays on its order",
            &[
                "UPDATE mobilization_unit SET quota = 0",
                "UPDATE mobilization_unit SET organization_id = id",
                "UPDATE mobilization_unit SET mobilization_id = id",
            ],
        ),
        case(
            "mobilization_unit_stays_called",
            "released once",
            &["UPDATE mobilization_unit SET state = 'arrived'"],
        )
        .after(&["UPDATE mobilization_unit SET state = 'released'"]),
        case(
            "mobilization_shift_lasts",
            "a shift lasts",
            &[
                "INSERT INTO mobilization_shift (id, mobilization_id, region_id, starts_at, ends_at, needed, added_at)
                 SELECT mobilization_id, mobilization_id, region_id, ends_at, ends_at, 5, added_at FROM mobilization_shift",
                "INSERT INTO mobilization_shift (id, mobilization_id, region_id, starts_at, ends_at, needed, added_at)
                 SELECT mobilization_id, mobilization_id, region_id, starts_at, ends_at, 0, added_at FROM mobilization_shift",
            ],
        ),
        case(
            "mobilization_shift_is_not_edited",
            "as it was set up",
            &["UPDATE mobilization_shift SET needed = 3"],
        ),
        case("mobilization_check_in_is_kept", "never deleted", &["DELETE FROM mobilization_check_in"]),
        case(
            "mobilization_check_in_is_ones_own",
            "stays of one person",
            &[
                "UPDATE mobilization_check_in SET mobilization_id = id",
                "UPDATE mobilization_check_in SET alliance_id = id",
                "UPDATE mobilization_check_in SET first_region_id = id",
                "UPDATE mobilization_check_in SET first_at = '2027-01-05 01:00:00.000000+00:00'",
                "UPDATE mobilization_check_in SET recorded_at = '2027-01-05 01:00:00.000000+00:00'",
                "UPDATE mobilization_check_in SET at = '2025-01-05 01:00:00.000000+00:00'",
            ],
        ),
        case("mobilization_transfer_is_kept", "never deleted", &["DELETE FROM mobilization_transfer"]),
        case(
            "mobilization_transfer_is_not_edited",
            "never edited",
            &["UPDATE mobilization_transfer SET is_superseded = TRUE"],
        ),
        case("mobilization_coverage_is_kept", "never deleted", &["DELETE FROM mobilization_coverage"]),
        case(
            "mobilization_coverage_begins_with_people",
            "nobody or somebody",
            &[
                "INSERT INTO mobilization_coverage (mobilization_id, region_id, path, needed, present)
                 SELECT c.mobilization_id, r.id, r.path, -1, 0 FROM mobilization_coverage c, region r
                 WHERE NOT EXISTS (SELECT 1 FROM mobilization_coverage x WHERE x.region_id = r.id)",
                "INSERT INTO mobilization_coverage (mobilization_id, region_id, path, needed, present)
                 SELECT c.mobilization_id, r.id, r.path, 0, -1 FROM mobilization_coverage c, region r
                 WHERE NOT EXISTS (SELECT 1 FROM mobilization_coverage x WHERE x.region_id = r.id)",
            ],
        ),
        case(
            "mobilization_coverage_counts_people",
            "nobody or somebody",
            &[
                "UPDATE mobilization_coverage SET present = -1",
                "UPDATE mobilization_coverage SET needed = -1",
                "UPDATE mobilization_coverage SET region_id = mobilization_id",
                "UPDATE mobilization_coverage SET mobilization_id = region_id",
                "UPDATE mobilization_coverage SET path = '/'",
            ],
        ),
    ]
}

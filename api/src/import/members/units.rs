//! The rows of `units.csv` and `stations.csv`: organisations, their seats and their liaisons.

use concord_entities::{
    id::{OrganizationId, RegionId},
    membership,
    organization::{self, Kind},
    region,
};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};

use super::{Fate, MOST_ROWS, Work};
use crate::{
    domain::{
        Code, Error, Result,
        governance::{
            membership::{self as memberships, Contact},
            organization::{self as organizations, NewOrganization, OrganizationChange},
        },
    },
    import::{
        Source,
        csv::{Column, Row, Table, optional, required},
    },
};

const NAME: usize = 0;
const SHORT_NAME: usize = 1;
const KIND: usize = 2;
const CREDIT_CODE: usize = 3;
const REGION_CODE: usize = 4;
const CONTACT_NAME: usize = 5;
const CONTACT_TITLE: usize = 6;
const CONTACT_PHONE: usize = 7;

const KINDS: &[&str] = &["单位类别", "单位性质", "类别", "kind"];

/// The columns of `units.csv`.
pub(super) const UNITS: [Column; 8] = [
    required(&["单位名称", "成员单位", "名称", "name", "unit"]),
    optional(&["简称", "short_name"]),
    required(KINDS),
    optional(&["统一社会信用代码", "信用代码", "credit_code"]),
    optional(&["区划代码", "所在区划代码", "region_code"]),
    optional(&["联络员", "联系人", "contact_name", "contact", "liaison"]),
    optional(&["职务", "联络员职务", "contact_title", "title"]),
    optional(&["电话", "联系电话", "联络员电话", "contact_phone", "phone"]),
];

/// The columns of `stations.csv`: stations, offices and communities of the town.
pub(super) const STATIONS: [Column; 8] = [
    required(&["站所名称", "站所", "社区名称", "单位名称", "名称", "name", "station"]),
    optional(&["简称", "short_name"]),
    optional(KINDS),
    optional(&["统一社会信用代码", "信用代码", "credit_code"]),
    optional(&["区划代码", "所在社区代码", "社区代码", "region_code"]),
    optional(&["负责人", "联络员", "联系人", "contact_name", "contact"]),
    optional(&["职务", "contact_title", "title"]),
    optional(&["电话", "联系电话", "contact_phone", "phone"]),
];

/// Imports a file of units; `kind` stands where a row names none.
pub(super) async fn import(
    work: &mut Work<'_>,
    source: &Source,
    columns: &[Column<'_>; 8],
    kind: Option<Kind>,
) -> Result<()> {
    let mut table = match Table::open(source, columns, MOST_ROWS) {
        Ok(table) => table,
        Err(error) => {
            work.refuse(error);
            return Ok(());
        }
    };
    work.lines.clear();
    loop {
        let (line, result) = match table.next_row() {
            None => return Ok(()),
            Some(Err(error)) => {
                work.refuse(error);
                continue;
            }
            Some(Ok(row)) => (row.line, unit(work, &row, kind).await),
        };
        work.settle(&table, line, result)?;
    }
}

async fn unit(
    work: &mut Work<'_>,
    row: &Row<'_>,
    default: Option<Kind>,
) -> std::result::Result<Fate, (u64, Error)> {
    let at = |column: usize| move |error: Error| (row.column(column), error);
    // A refusal of a verb names the field of the schema; the report names the column.
    let placed = |error: Error| {
        let column = match &error {
            Error::Refused(refusal) => match refusal.field.as_deref() {
                Some("shortName") => SHORT_NAME,
                Some("creditCode") => CREDIT_CODE,
                Some("contactName") => CONTACT_NAME,
                Some("contactTitle") => CONTACT_TITLE,
                Some("contactPhone") => CONTACT_PHONE,
                _ => NAME,
            },
            _ => NAME,
        };
        (row.column(column), error)
    };
    let name = organizations::name(row.get(NAME)).map_err(at(NAME))?;
    let kind = match row.get(KIND) {
        "" => default.ok_or_else(|| at(KIND)(Error::invalid(Code::Required, "kind")))?,
        text => kind_of(text).ok_or_else(|| {
            at(KIND)(
                Error::invalid(Code::Malformed, "kind").with("expected", "政府单位, 事业单位, 企业, ..."),
            )
        })?,
    };
    let credit_code = organizations::credit_code(Some(row.get(CREDIT_CODE))).map_err(at(CREDIT_CODE))?;
    let region_id = region_of(work, row.get(REGION_CODE)).await.map_err(at(REGION_CODE))?;
    let contact = Contact {
        name: row.filled(CONTACT_NAME),
        title: row.filled(CONTACT_TITLE),
        phone: row.filled(CONTACT_PHONE),
    };
    let contact = contact.checked().map_err(placed)?;
    let known = find(work, &name, credit_code.as_deref()).await.map_err(placed)?;
    let Some(unit) = known else {
        let new = NewOrganization { name, short_name: row.filled(SHORT_NAME), kind, credit_code, region_id };
        let unit = organizations::insert(work.tx, new).await.map_err(placed)?;
        let seat =
            memberships::seat_at_once(work.tx, work.alliance, unit.id, &contact).await.map_err(placed)?;
        work.once(unit.id, row.line).map_err(at(NAME))?;
        work.known.put(seat, unit);
        return Ok(Fate::Imported);
    };
    work.once(unit.id, row.line).map_err(at(NAME))?;
    let mut fate = Fate::Unchanged;
    // What other alliances share is not this roster's to change.
    let unit = if is_shared(work, unit.id).await.map_err(at(NAME))? {
        unit
    } else {
        let kind = (!row.get(KIND).is_empty()).then_some(kind);
        let change = OrganizationChange {
            short_name: row.filled(SHORT_NAME),
            kind,
            credit_code,
            region_id,
            ..OrganizationChange::default()
        };
        let (unit, changed) = organizations::amend(work.tx, unit, change).await.map_err(placed)?;
        if changed {
            fate = Fate::Updated;
        }
        unit
    };
    let standing = work.known.of(unit.id).map(|(seat, _)| seat.clone());
    let seat = match standing {
        Some(seat) if matches!(seat.state, membership::State::Active | membership::State::Suspended) => {
            let wanted = Contact {
                name: contact.name.or_else(|| seat.contact_name.clone()),
                title: contact.title.or_else(|| seat.contact_title.clone()),
                phone: contact.phone.or_else(|| seat.contact_phone.clone()),
            };
            let same = wanted.name == seat.contact_name
                && wanted.title == seat.contact_title
                && wanted.phone == seat.contact_phone;
            if same {
                seat
            } else {
                fate = Fate::Updated;
                memberships::set_contact(work.tx, seat, wanted).await.map_err(placed)?
            }
        }
        Some(_) => {
            fate = Fate::Updated;
            memberships::seat_at_once(work.tx, work.alliance, unit.id, &contact).await.map_err(placed)?
        }
        None => {
            fate = Fate::Imported;
            memberships::seat_at_once(work.tx, work.alliance, unit.id, &contact).await.map_err(placed)?
        }
    };
    work.known.put(seat, unit);
    Ok(fate)
}

/// The organisation that a row means: by its credit code, else by its name among the members.
async fn find(work: &Work<'_>, name: &str, credit_code: Option<&str>) -> Result<Option<organization::Model>> {
    if let Some(code) = credit_code
        && let Some(unit) = organizations::by_credit_code(&work.tx.db, code).await?
    {
        // The code of another unit, mistyped or copied, must not change that unit.
        if unit.name != name {
            return Err(Error::invalid(Code::CreditCodeTaken, "creditCode"));
        }
        return Ok(Some(unit));
    }
    let namesake = work.known.named(name).map(|(_, unit)| unit).filter(|unit| unit.name == name);
    // Two codes are two organisations, whatever their names.
    Ok(namesake.filter(|unit| credit_code.is_none() || unit.credit_code.is_none()).cloned())
}

async fn is_shared(work: &Work<'_>, unit: OrganizationId) -> Result<bool> {
    let elsewhere = membership::Entity::find()
        .filter(membership::Column::OrganizationId.eq(unit))
        .filter(membership::Column::AllianceId.ne(work.alliance))
        .filter(membership::Column::EndedAt.is_null())
        .count(&work.tx.db)
        .await?;
    Ok(elsewhere > 0)
}

async fn region_of(work: &Work<'_>, code: &str) -> Result<Option<RegionId>> {
    if code.is_empty() {
        return Ok(None);
    }
    let found = region::Entity::find().filter(region::Column::Code.eq(code)).one(&work.tx.db).await?;
    let found = found.ok_or_else(|| Error::refused(Code::ImportUnknown).with("value", code))?;
    Ok(Some(found.id))
}

/// What clerks and programs call the kinds of units.
fn kind_of(text: &str) -> Option<Kind> {
    Some(match text.to_lowercase().as_str() {
        "政府单位" | "机关" | "机关单位" | "党政机关" | "行政单位" | "government_unit" => {
            Kind::GovernmentUnit
        }
        "事业单位" | "public_institution" => Kind::PublicInstitution,
        "企业" | "公司" | "enterprise" => Kind::Enterprise,
        "物业" | "物业企业" | "物业公司" | "property_management" => Kind::PropertyManagement,
        "志愿组织" | "志愿队伍" | "志愿服务组织" | "volunteer_group" => Kind::VolunteerGroup,
        "社会组织" | "social_organization" => Kind::SocialOrganization,
        "合作社" | "cooperative" => Kind::Cooperative,
        "学校" | "医院" | "学校医院" | "学校或医院" | "school_or_hospital" => {
            Kind::SchoolOrHospital
        }
        "站所" | "station_or_office" => Kind::StationOrOffice,
        "社区" | "村" | "社区居委会" | "村委会" | "村(社区)" | "community_committee" => {
            Kind::CommunityCommittee
        }
        "镇党委" | "街道党工委" | "乡党委" | "镇街党委" | "town_committee" => {
            Kind::TownCommittee
        }
        "部队" | "驻军" | "驻军单位" | "military_unit" => Kind::MilitaryUnit,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use sea_orm::{ActiveEnum, Iterable};

    use super::*;

    #[test]
    fn every_kind_is_known_by_its_own_name() {
        for kind in Kind::iter() {
            assert_eq!(kind_of(&kind.to_value()), Some(kind));
        }
    }
}

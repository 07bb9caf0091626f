//! Nanyang's small story: the Party's, governance and police grids as one over a village; a joint branch of several hosts; a governance
//! centre that hosts a branch; and a village's security director who is also auxiliary police.

use concord_entities::{
    branch_host,
    grid_cell::Category,
    grid_network::Kind as Network,
    grid_officer::Role,
    id::{GridCellId, RegionId},
    organization::Kind as Unit,
    party_branch::Kind,
    region::Level,
};

use super::{small, story::Story};
use crate::domain::{
    Result,
    branch::{
        host::NewHost,
        steps::{self, NewBranch, Secretary},
    },
    governance::membership::{self, Contact},
    grid::{
        cell::{self, NewCell},
        network,
        officer::{self, NewOfficer},
    },
    territory::region::{self, NewRegion},
};

const PLACES: [(&str, &str, Level); 4] = [
    ("41", "河南省", Level::Province),
    ("4113", "南阳市", Level::Prefecture),
    ("411302", "宛城区", Level::County),
    ("411302102", "官庄镇", Level::Township),
];
const VILLAGES: [(&str, &str); 2] =
    [("411302102200", "李营村民委员会"), ("411302102201", "张茨园村民委员会")];
/// The place that has a special cell of its own.
const MARKET: &str = "官庄集贸市场";

/// What there is of it.
#[derive(Default)]
pub struct Book {
    /// A building at which all three networks answer.
    pub building: Option<RegionId>,
}

pub async fn play(story: &mut Story<'_>) -> Result<()> {
    let names = ("官庄镇党建联盟", "官庄", "中共官庄镇委员会", "三网融合专员");
    let town = small::found(story, "nanyang", &PLACES, names).await?;
    let system = story.stage.system();
    let record = async |parent_id, code: Option<&str>, name: &str, level| {
        let new = NewRegion { parent_id, code: code.map(str::to_owned), name: name.to_owned(), level };
        region::record(&system, new).await.map(|region| region.id)
    };
    let mut villages = Vec::new();
    for (code, name) in VILLAGES {
        villages.push(record(town.regions.last().copied(), Some(code), name, Level::Village).await?);
    }
    let compound = record(villages.first().copied(), None, "官庄新苑", Level::Compound).await?;
    let building = record(Some(compound), None, "1号楼", Level::Building).await?;
    story.cast.grids.building = Some(building);
    let station = small::unit(story, "官庄派出所", Unit::StationOrOffice).await?;
    let firm = small::unit(story, "官庄商贸有限公司", Unit::Enterprise).await?;
    let centre = small::unit(story, "官庄镇综治中心", Unit::PublicInstitution).await?;
    for unit in [station, firm, centre] {
        membership::admit(&system, town.alliance, unit, Contact::default()).await?;
    }
    let draw = async |network, code: &str, name: &str, level, category, parent_id, regions: &[RegionId]| {
        let new = NewCell {
            parent_id,
            code: code.to_owned(),
            name: name.to_owned(),
            level,
            category,
            region_ids: regions.to_vec(),
            since: None,
        };
        cell::draw(&town.clerk, network, new).await.map(|cell| cell.id)
    };
    let assign = async |cell: GridCellId, organization_id, role, name: &str, phone: &str| {
        let new = NewOfficer {
            organization_id,
            role,
            name: name.to_owned(),
            phone: Some(phone.to_owned()),
            is_main: true,
            since: None,
        };
        officer::assign(&town.clerk, cell, new).await.map(drop)
    };
    let full = Category::Comprehensive;
    let party = network::establish(&town.clerk, town.alliance, Network::Party).await?.id;
    let governance = network::establish(&town.clerk, town.alliance, Network::Governance).await?.id;
    let police = network::establish(&town.clerk, town.alliance, Network::Police).await?.id;
    let whole = draw(party, "D-01", "官庄党建网格", 3, full, None, &villages).await?;
    assign(whole, town.committee, Role::PartyGroupHead, "示例甲", "13900000101").await?;
    for (index, village) in villages.iter().enumerate() {
        let (number, name) = (index + 1, format!("第{}治理网格", index + 1));
        let cell = draw(governance, &format!("Z-0{number}"), &name, 4, full, None, &[*village]).await?;
        if index == 0 {
            assign(cell, town.committee, Role::GridHead, "示例乙", "13900000102").await?;
            assign(cell, town.committee, Role::SecurityDirector, "示例丙", "13900000103").await?;
        }
    }
    draw(governance, "Z-S1", MARKET, 4, Category::Special, None, &[building]).await?;
    let beat = draw(police, "J-01", "官庄警务区", 3, full, None, &villages).await?;
    assign(beat, station, Role::PoliceOfficer, "示例丁", "13900000104").await?;
    // The village's security director.
    assign(beat, town.committee, Role::AuxiliaryPolice, "示例丙", "13900000103").await?;
    let branch = |name: &str, hosts: Vec<NewHost>, members| NewBranch {
        kind: Kind::Branch,
        parent_id: None,
        name: name.to_owned(),
        is_temporary: false,
        hosts,
        member_count: Some(members),
        secretary: Secretary::default(),
        since: None,
    };
    let hosts = vec![
        NewHost::Region(compound),
        NewHost::Organization(firm),
        NewHost::Organization(station),
        NewHost::Place(branch_host::Kind::Market, MARKET.to_owned()),
    ];
    let centre = vec![NewHost::Organization(centre)];
    for new in [branch("官庄商圈联合党支部", hosts, 26), branch("官庄镇综治中心党支部", centre, 9)]
    {
        steps::establish(&town.clerk, town.alliance, new).await?;
    }
    Ok(())
}

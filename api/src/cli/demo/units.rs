//! Who sits in the demo's alliance: 127 member organisations under plausible, generic names. None of them stands for a
//! real one; their credit codes are valid and fictitious, their liaisons and phone numbers made up.

use concord_entities::organization::Kind;

use crate::domain::credit_code::CreditCode;

/// Division code that registered the prefecture's units, and that of the county's.
const PREFECTURE: &str = "632200";
const COUNTY: &str = "632223";

/// How many member organisations there are.
pub const MEMBERS: usize = 127;
/// How many of them form the service teams.
pub const IN_TEAMS: usize = 116;
/// How many dock with the teams instead: the committee, the communities and the stations; they come first on the roster.
pub const DOCKED: usize = MEMBERS - IN_TEAMS;
/// How many teams there are.
pub const TEAMS: usize = 12;

/// The units that lead the teams, in the order of the rotation.
const LEADS: [(&str, &str); TEAMS] = [
    ("中共海北州委组织部", "州委组织部"),
    ("中共海北州委宣传部", "州委宣传部"),
    ("中共海北州委政法委员会", "州委政法委"),
    ("海北州发展和改革委员会", "州发展改革委"),
    ("海北州教育局", "州教育局"),
    ("海北州公安局", "州公安局"),
    ("海北州财政局", "州财政局"),
    ("海北州住房和城乡建设局", "州住房城乡建设局"),
    ("海北州民政局", "州民政局"),
    ("海北州卫生健康委员会", "州卫生健康委"),
    ("海北州应急管理局", "州应急管理局"),
    ("海北州农牧局", "州农牧局"),
];

/// The others of the teams, by kind; dealt out to the teams in turn, so that each has units of every kind.
const GOVERNMENT: [(&str, &str); 41] = [
    ("中共海北州委直属机关工作委员会", "州直机关工委"),
    ("中共海北州纪律检查委员会机关", "州纪委监委机关"),
    ("中共海北州委办公室", "州委办公室"),
    ("中共海北州委统一战线工作部", "州委统战部"),
    ("中共海北州委机构编制委员会办公室", "州委编办"),
    ("海北州人民代表大会常务委员会机关", "州人大机关"),
    ("海北州人民政府办公室", "州政府办公室"),
    ("中国人民政治协商会议海北州委员会机关", "州政协机关"),
    ("海北州中级人民法院", "州中级法院"),
    ("海北州人民检察院", "州检察院"),
    ("海北州工业和信息化局", "州工信局"),
    ("海北州民族宗教事务委员会", "州民宗委"),
    ("海北州司法局", "州司法局"),
    ("海北州人力资源和社会保障局", "州人社局"),
    ("海北州自然资源局", "州自然资源局"),
    ("海北州生态环境局", "州生态环境局"),
    ("海北州交通运输局", "州交通运输局"),
    ("海北州水利局", "州水利局"),
    ("海北州商务局", "州商务局"),
    ("海北州文体旅游广电局", "州文体旅游广电局"),
    ("海北州退役军人事务局", "州退役军人局"),
    ("海北州审计局", "州审计局"),
    ("海北州市场监督管理局", "州市场监管局"),
    ("海北州统计局", "州统计局"),
    ("海北州医疗保障局", "州医保局"),
    ("海北州林业和草原局", "州林草局"),
    ("海北州信访局", "州信访局"),
    ("海北州政务服务监督管理局", "州政务服务局"),
    ("海北州机关事务管理局", "州机关事务局"),
    ("海北州国有资产监督管理委员会", "州国资委"),
    ("海北州税务局", "州税务局"),
    ("海北州气象局", "州气象局"),
    ("海北州消防救援支队", "州消防救援支队"),
    ("海北州总工会", "州总工会"),
    ("共青团海北州委员会", "团州委"),
    ("海北州妇女联合会", "州妇联"),
    ("海北州科学技术协会", "州科协"),
    ("海北州工商业联合会", "州工商联"),
    ("海北州残疾人联合会", "州残联"),
    ("海北州红十字会", "州红十字会"),
    ("海北州科学技术局", "州科技局"),
];

const INSTITUTIONS: [(&str, &str); 15] = [
    ("海北州融媒体中心", "州融媒体中心"),
    ("海北州图书馆", "州图书馆"),
    ("海北州博物馆", "州博物馆"),
    ("海北州档案馆", "州档案馆"),
    ("海北州疾病预防控制中心", "州疾控中心"),
    ("海北州住房公积金管理中心", "州公积金中心"),
    ("海北州公共资源交易中心", "州公共资源交易中心"),
    ("海北州农牧综合服务中心", "州农牧服务中心"),
    ("海北州草原工作站", "州草原站"),
    ("海北州公路养护中心", "州公路养护中心"),
    ("海北州不动产登记中心", "州不动产登记中心"),
    ("海北州社会福利院", "州社会福利院"),
    ("海北州人才服务中心", "州人才服务中心"),
    ("海北州市政设施养护中心", "州市政养护中心"),
    ("西海红色教育基地管理处", "红色教育基地"),
];

const SCHOOLS_AND_HOSPITALS: [(&str, &str); 12] = [
    ("海北州第一人民医院", "州第一医院"),
    ("海北州第二人民医院", "州第二医院"),
    ("海北州藏医院", "州藏医院"),
    ("海北州妇幼保健院", "州妇幼保健院"),
    ("海北州中心血站", "州中心血站"),
    ("海北州职业技术学校", "州职校"),
    ("海北州第一高级中学", "州第一高中"),
    ("海北州民族高级中学", "州民族高中"),
    ("西海镇民族寄宿制小学", "西海民族小学"),
    ("西海镇中心幼儿园", "西海中心幼儿园"),
    ("海北州特殊教育学校", "州特教学校"),
    ("中共海北州委党校", "州委党校"),
];

const ENTERPRISES: [(&str, &str); 14] = [
    ("海北州城乡供水有限公司", "州供水公司"),
    ("海北州集中供热有限公司", "州供热公司"),
    ("海北州天然气有限公司", "州燃气公司"),
    ("海北州供电服务有限公司", "州供电公司"),
    ("海北州公共交通有限公司", "州公交公司"),
    ("海北州城镇环卫有限公司", "州环卫公司"),
    ("海北州城市建设投资有限公司", "州城投公司"),
    ("海北州文化旅游投资有限公司", "州文旅公司"),
    ("海北州粮油储备有限公司", "州粮油公司"),
    ("海北州邮政服务有限公司", "州邮政公司"),
    ("海北州通信建设有限公司", "州通信公司"),
    ("海北州农牧产业发展有限公司", "州农牧产业公司"),
    ("海北州农商银行股份有限公司", "州农商银行"),
    ("西海快递服务有限公司", "西海快递公司"),
];

const PROPERTY: [(&str, &str); 6] = [
    ("西海城南物业服务有限公司", "城南物业"),
    ("西海城北物业服务有限公司", "城北物业"),
    ("西海城东物业服务有限公司", "城东物业"),
    ("西海城西物业服务有限公司", "城西物业"),
    ("海北安居物业服务有限公司", "安居物业"),
    ("海北机关后勤物业服务有限公司", "机关物业"),
];

const VOLUNTEERS: [(&str, &str); 6] = [
    ("西海镇草原先锋志愿服务队", "草原先锋志愿队"),
    ("西海镇青年志愿服务队", "青年志愿队"),
    ("西海镇巾帼志愿服务队", "巾帼志愿队"),
    ("西海镇夕阳红志愿服务队", "夕阳红志愿队"),
    ("西海镇生态环保志愿服务队", "环保志愿队"),
    ("西海镇应急救援志愿服务队", "应急志愿队"),
];

const SOCIAL: [(&str, &str); 6] = [
    ("海北州个体私营企业协会", "州个私协会"),
    ("海北州社区治理评估中心", "社区治理评估中心"),
    ("海北州法律援助协会", "州法律援助协会"),
    ("海北州老年体育协会", "州老年体协"),
    ("海北州餐饮行业协会", "州餐饮协会"),
    ("海北州书画家协会", "州书画家协会"),
];

const COOPERATIVES: [(&str, &str); 3] = [
    ("西海牦牛养殖专业合作社", "牦牛养殖合作社"),
    ("金银滩藏羊养殖专业合作社", "藏羊养殖合作社"),
    ("西海手工艺品专业合作社", "手工艺品合作社"),
];

/// The unit of the garrison, never by its designation.
const MILITARY: (&str, &str) = ("驻西海某部", "驻西海某部");

/// Those who dock with the team of the month and form no team themselves.
pub const COMMITTEE: (&str, &str) = ("中共西海镇委员会", "西海镇党委");
const STATIONS: [(&str, &str); 6] = [
    ("西海镇派出所", "派出所"),
    ("西海镇司法所", "司法所"),
    ("西海镇卫生院", "卫生院"),
    ("西海镇市场监督管理所", "市场监管所"),
    ("西海镇自然资源所", "自然资源所"),
    ("西海镇综合行政执法队", "综合执法队"),
];

/// A member organisation before it is recorded.
#[derive(Clone, Debug)]
pub struct Unit {
    pub name: String,
    pub short_name: String,
    pub kind: Kind,
    pub credit_code: CreditCode,
    pub liaison: String,
    pub title: &'static str,
    pub phone: String,
    /// Official name of the community that it governs.
    pub community: Option<String>,
}

/// The member organisations: first the town committee, its communities under their official names and its stations, then
/// the units of the teams, the leads ahead.
pub fn members(communities: &[String]) -> Vec<Unit> {
    let mut units = Vec::with_capacity(MEMBERS);
    let mut add = |(name, short): (&str, &str), kind, community: Option<String>| {
        let serial = u32::try_from(units.len()).expect("a few units") + 1;
        let division = if COUNTY_KINDS.contains(&kind) { COUNTY } else { PREFECTURE };
        units.push(Unit {
            name: name.to_owned(),
            short_name: short.to_owned(),
            kind,
            credit_code: CreditCode::fictitious_of(category(kind), division, serial)
                .expect("division and serial number are well-formed"),
            liaison: person(serial),
            title: if kind == Kind::CommunityCommittee { "社区党支部书记" } else { "联络员" },
            phone: phone(serial),
            community,
        });
    };
    add(COMMITTEE, Kind::TownCommittee, None);
    for name in communities {
        let short = name.replace("居民委员会", "");
        add((&format!("西海镇{name}"), &short), Kind::CommunityCommittee, Some(name.clone()));
    }
    let rest: [(&[(&str, &str)], Kind); 10] = [
        (&STATIONS, Kind::StationOrOffice),
        (&LEADS, Kind::GovernmentUnit),
        (&GOVERNMENT, Kind::GovernmentUnit),
        (&INSTITUTIONS, Kind::PublicInstitution),
        (&SCHOOLS_AND_HOSPITALS, Kind::SchoolOrHospital),
        (&ENTERPRISES, Kind::Enterprise),
        (&PROPERTY, Kind::PropertyManagement),
        (&VOLUNTEERS, Kind::VolunteerGroup),
        (&SOCIAL, Kind::SocialOrganization),
        (&COOPERATIVES, Kind::Cooperative),
    ];
    for (names, kind) in rest {
        for name in names {
            add(*name, kind, None);
        }
    }
    add(MILITARY, Kind::MilitaryUnit, None);
    units
}

/// Short names of the units that lead the teams, in the order of the rotation.
pub fn leads() -> impl Iterator<Item = &'static str> {
    LEADS.iter().map(|(_, short)| *short)
}

/// Kinds whose units the county registered.
const COUNTY_KINDS: [Kind; 5] = [
    Kind::TownCommittee,
    Kind::CommunityCommittee,
    Kind::StationOrOffice,
    Kind::PropertyManagement,
    Kind::Cooperative,
];

/// Registration authority and category, the first two characters of a credit code.
const fn category(kind: Kind) -> &'static str {
    match kind {
        Kind::GovernmentUnit | Kind::TownCommittee | Kind::StationOrOffice => "11",
        Kind::PublicInstitution | Kind::SchoolOrHospital => "12",
        Kind::SocialOrganization | Kind::VolunteerGroup => "51",
        Kind::CommunityCommittee => "55",
        Kind::Enterprise | Kind::PropertyManagement => "91",
        Kind::Cooperative => "93",
        Kind::MilitaryUnit => "Y9",
    }
}

/// A made-up name for the person with this serial number.
pub fn person(serial: u32) -> String {
    const SURNAMES: [&str; 16] =
        ["马", "李", "张", "王", "祁", "赵", "韩", "刘", "陈", "杨", "郭", "星", "何", "严", "罗", "贺"];
    const GIVEN: [&str; 15] = [
        "海云", "青山", "建国", "晓梅", "国栋", "秀兰", "志强", "雪莲", "永平", "丽华", "文博", "春燕",
        "德福", "金花", "明远",
    ];
    let pick = |from: &[&'static str]| {
        let at = usize::try_from(serial).unwrap_or_default() % from.len();
        from.get(at).copied().unwrap_or_default()
    };
    // 16 and 15 share no factor, so that the first 240 names differ.
    format!("{}{}", pick(&SURNAMES), pick(&GIVEN))
}

/// A number that no operator gives out: mobile numbers do not begin with 120.
pub fn phone(serial: u32) -> String {
    format!("120{serial:08}")
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn there_are_127_members_with_names_and_codes_of_their_own() {
        let communities: Vec<String> =
            ["城南", "城北", "城东", "城西"].map(|name| format!("{name}社区居民委员会")).into();
        let units = members(&communities);
        assert_eq!(units.len(), MEMBERS);
        let names: HashSet<&str> = units.iter().map(|unit| unit.name.as_str()).collect();
        let codes: HashSet<&str> = units.iter().map(|unit| unit.credit_code.as_str()).collect();
        let people: HashSet<&str> = units.iter().map(|unit| unit.liaison.as_str()).collect();
        assert_eq!((names.len(), codes.len(), people.len()), (MEMBERS, MEMBERS, MEMBERS));
        assert!(units.iter().all(|unit| unit.credit_code.warning().is_none()));
        assert_eq!(1 + communities.len() + STATIONS.len(), DOCKED);
    }
}

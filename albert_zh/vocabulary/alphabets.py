"""Characters and words for every vocabulary besides its counted Chinese characters.

`builder` and `counting` make entries of them.
"""

import string

from albert_zh.text.encoding import is_chinese

PUNCTUATION = (
    string.punctuation
    + "，。、〜；：？！“”‘’（）《》〈〉「」『』【】〔〕〖〗…—·–‐‑―‖′″‰※•・§¶¡¿«»‹›†‡"
    + "＂＃％＆＇＊－．／＠［＼］＿｛｝｟｠｡｢｣､･﹁﹂﹃﹄﹏﹑﹔﹕﹖﹗"
)

# Signs that WordPiece treats as letters: 5℃ is one word.
SIGNS = (
    "〇々〆～￥＄＋＜＝＞＾｀｜￣￡￠¥€£¢₩℃℉°±×÷²³¹½¼¾µπ√∞≈≡≤≥∈∗∑∏∫∂∆∠⊥∥∵∴∶∩∪¬"
    "←↑→↓↔⇒⇔★☆●○◎◇◆□■△▲▽▼▶◀►◄♀♂♥♡♦♣♠♪♫☀☁☂☎☑☺☞✓✔✅✕✖✨❤❌❗❓➕➡─│"
    "№℡™©®㎡㎥㎏㎜㎝㎞㏄ℓ①②③④⑤⑥⑦⑧⑨⑩⑪⑫ⅠⅡⅢⅣⅤⅥⅦⅧⅨⅩⅪⅫⅰⅱⅲⅳⅴⅵⅶⅷⅸⅹ"
    "😀😁😂😃😄😅😆😉😊😋😌😍😎😏😑😒😓😔😘😚😜😝😞😡😢😣😤😥😨😩😪😫😭😰😱😳😷"
    "🙃🙄🙈🙏🙂🤔🤗🤣🤦🤩🤪👀👆👇👉👌👍👎👏👑💋💔💕💖💗💙💛💜💡💢💣💤💥💦💩💪💯"
    "🌈🌙🌚🌝🌞🌟🌱🌲🌷🌸🌹🌺🌻🍀🍁🍉🍎🍓🍜🍦🍰🍺🍻🎁🎂🎄🎉🎊🎵🎶🏃🏆🏠🐂🐒🐟🐮🐰🐱🐶🐷🐼🐾"
    "📌📍📖📚📝📢📣📱📷🔍🔔🔗🔥🚀🚗🚩"
)


def _characters(first: str, last: str) -> str:
    return "".join(map(chr, range(ord(first), ord(last) + 1)))


LETTERS = (
    string.digits
    + string.ascii_letters
    + "ßæøœðþđłıŋ"
    + _characters("α", "ω")
    + _characters("Α", "Ρ")
    + _characters("Σ", "Ω")
    + _characters("а", "ё")
    + _characters("А", "Я")
    + _characters("ぁ", "ん")
    + _characters("ァ", "ヺ")
    + "ーゝゞヽヾ"
    + _characters("ㄅ", "ㄩ")
    + _characters("０", "９")
    + _characters("Ａ", "Ｚ")
    + _characters("ａ", "ｚ")
    # Hangul, which decomposes into these when accents are stripped.
    + _characters("ᄀ", "ᄒ")
    + _characters("ᅡ", "ᅵ")
    + _characters("ᆨ", "ᇂ")
)


def other_chinese_characters() -> list[str]:
    """All unified ideographs of the basic block: those of Big5 in its order, then the rest.

    Big5 has a common level and a rare one, each sorted by strokes: a good order without counts.
    """
    block = [character for character in _characters("\u4e00", "\u9fff") if is_chinese(character)]
    ranked = [(_big5_code(character), character) for character in block]
    return [character for _, character in sorted(ranked)]


def _big5_code(character: str) -> bytes:
    return character.encode("big5", errors="ignore") or b"\xff\xff"


# Latin words of Chinese texts and common English words, roughly by frequency.
LATIN_WORDS = """
the of and to in is for on that with it as be by are at from this you or not have an was we can
app ok vip com www http https cn net org html pc tv cd dvd qq id ip ai ui api cpu gpu gdp ceo nba
usb wifi led lcd gps pdf ppt doc excel word iphone ipad ios mac android windows linux apple google
facebook twitter youtube amazon microsoft baidu alibaba taobao tencent huawei xiaomi oppo vivo
samsung sony intel nvidia amd wechat weibo github git java python javascript php mysql sql mongodb
redis docker kubernetes server client web json xml css node react vue spring hello world name type
data file code test user list map set get put post key value string int float double bool true
false null none class public private static final void return function def import export package
module index main print input output error exception log debug info config system software
hardware network internet online service platform cloud machine learning deep model neural
training science computer program programming language development engineering project product
design team work business market company group china chinese beijing shanghai guangzhou shenzhen
hong kong taiwan hangzhou nanjing chengdu wuhan tianjin chongqing america american english japan
japanese korea korean europe european london paris york new germany french france german russia
india canada australia united states university school college institute academy student teacher
education research study book paper report history culture art music video game games movie film
show star love like life time day year month week hour minute second today night morning people
man woman men women girl boy baby child children family home house city country state national
international global health medical hospital doctor food water air car bus bike train plane road
street park hotel restaurant coffee tea beer wine milk cake red blue green black white gold silver
color dark light hot cold big small high low long short old young good best better great nice
happy beautiful sweet super free full open close up down left right top bottom front back inside
out over under off about after before between during through against into without within what who
when where why how which all any some more most many much other another each every both few only
own same such than then there here now just also very too so no yes but if because while until
although however therefore thus our your his her its their my me him them us she he they i am were
been being do does did done has had having will would could should may might must shall make made
take took come came go went gone see saw seen know think thought say said tell told ask use used
using find found give given want need help try start stop begin end run play read write learn
teach buy sell pay call talk speak listen look watch feel keep let leave turn move live stay stand
sit walk fly drive change grow build create add remove delete update insert select join order
limit count sum max min avg number size length width height depth level line point page text image
picture photo camera phone mobile smart tablet laptop notebook desktop screen display keyboard
mouse touch button click link url email message chat forum blog news media social daily times
press magazine journal review article issue version release beta alpha pro plus mini lite ultra
note edge galaxy pixel nova mate honor redmi series edition special limited official original
classic modern standard premium basic advanced professional personal local remote digital
electronic electric energy power battery solar nuclear oil gas steel plastic glass wood stone
metal carbon oxygen hydrogen iron chemical biology physics chemistry math mathematics statistics
economics economy finance financial bank money dollar price cost rate tax trade stock fund invest
investment insurance credit card account management manager director president chairman minister
government law legal policy political party military army war peace police security safety risk
control quality process method theory analysis result effect factor structure algorithm database
table query search engine source library framework tool kit pack plugin extension component
interface protocol format encoding unicode utf ascii byte bit kb mb gb tb hz khz mhz ghz kw kwh mm
cm km kg mg ml mah rgb hd uhd fps dpi ppi ram rom ssd hdd nfc sim lte gsm cdma bluetooth wlan lan
vpn dns tcp udp ssh ftp sdk ide jdk jvm npm pip conda ubuntu debian centos redhat fedora unix
shell bash root admin login password token session cookie cache proxy host port path bin etc var
tmp usr opt dev lib src include install setup restart status enable disable default custom auto
manual option setting settings property attribute parameter argument variable constant object
array vector matrix tensor tree graph stack queue hash heap sort merge split filter reduce lambda
async await thread task job event handler callback listener request response header body content
accept agent head patch virtual memory storage disk device driver kernel core boot bios mode safe
reset a b c plan sun moon earth space sky sea ocean river lake mountain island forest flower
animal dog cat bird fish horse cow pig sheep tiger lion bear wolf dragon king queen prince
princess angel god church christmas holiday birthday wedding gift dream hope faith heart soul mind
spirit force magic fantasy adventure action drama comedy horror rock pop rap jazz dance band album
song singer artist actor fans club tour concert festival theater museum gallery center centre
station airport bridge tower building plaza mall shop store sale fashion style brand cotton silk
leather jacket dress shirt shoes bag hat ring diamond perfume beauty skin care cream mask vitamin
protein sugar salt rice bread egg meat beef chicken pork soup salad pizza burger sandwich
chocolate fruit orange banana lemon strawberry sport sports football basketball baseball tennis
golf swimming running fitness yoga gym match league cup champion season player coach win lose
score goal ball race speed record olympic olympics fifa uefa cba acg dj mv ktv cosplay cp anime
manga gundam pokemon mario zelda nintendo switch playstation xbox steam lol dota cs mmo rpg moba
npc boss buff bug exp hp mp pk gm gg diy dna rna atp ct mri icu hiv aids sars covid flu pm bbc cnn
abc nbc hbo fbi cia nasa wto imf un eu usa uk ussr nato apec asean brics opec ibm dell lenovo acer
asus lg htc nokia motorola bmw benz audi volkswagen toyota honda nissan ford tesla byd suv mpv gt
abs esp turbo diesel hybrid ev iso ieee sci ssci phd mba emba mit ucla gre toefl ielts cet hsk hr
pr bd cfo cto coo ipo vc pe lp gp roi kpi okr b2b b2c c2c o2o p2p saas paas iaas erp crm oa bi etl
iot vr ar xr 3d 4k 5g 4g 3g 2g h5 mp3 mp4 jpg png gif avi mkv txt zip rar exe apk dll xls docx
pptx nature cell lancet vol pp ed eds et al fig ref isbn doi dr mr mrs ms jr st inc ltd co corp vs
ad bc mon tue wed thu fri sat jan feb mar apr jun jul aug sep oct nov dec john james david michael
robert william richard thomas charles george paul mark peter jack tom jim mike steve bill bob alex
sam ben dan joe adam eric kevin jason ryan frank henry louis martin simon smith johnson brown
jones davis miller wilson taylor anderson lee wang li zhang liu chen yang huang zhao wu zhou xu ma
zhu hu guo lin gao luo zheng liang xie tang han feng deng cao peng zeng xiao tian dong pan yuan
cai jiang yu du ye cheng wei su lu ding ren yao shen zhong cui tan fan liao wan xiong jin bai mao
qiu qin shi hou meng duan lei qian yin chang gong pang ming jie hua ping ling ying mei fang juan
xin yan xia yun na ting rui hao bo kai chao tao jia zi xue si yi wen shu ya ke qi le lai mary anna
lisa lucy lily emma alice helen linda susan maria jane kate rose diana sarah laura julia
"""

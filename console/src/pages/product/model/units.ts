// The units that the vendors' platforms offer, those that devices use most:
// symbol, Chinese name, English name. Any other may be typed.
const rows = `
°C|摄氏度|degree Celsius
°F|华氏度|degree Fahrenheit
K|开尔文|kelvin
%|百分比|percent
%RH|相对湿度|relative humidity
Pa|帕斯卡|pascal
hPa|百帕|hectopascal
kPa|千帕|kilopascal
MPa|兆帕|megapascal
bar|巴|bar
mV|毫伏|millivolt
V|伏特|volt
kV|千伏|kilovolt
mA|毫安|milliampere
A|安培|ampere
W|瓦特|watt
kW|千瓦|kilowatt
VA|伏安|volt-ampere
var|乏|var
Hz|赫兹|hertz
kHz|千赫兹|kilohertz
MHz|兆赫兹|megahertz
Ω|欧姆|ohm
kW·h|千瓦时|kilowatt-hour
W·h|瓦时|watt-hour
J|焦耳|joule
kJ|千焦|kilojoule
mAh|毫安时|milliampere-hour
lx|勒克斯|lux
lm|流明|lumen
cd|坎德拉|candela
μg/m³|微克每立方米|microgram per cubic metre
mg/m³|毫克每立方米|milligram per cubic metre
ppm|百万分率|parts per million
ppb|十亿分率|parts per billion
dB|分贝|decibel
dBm|分贝毫瓦|decibel-milliwatt
pH|酸碱度|pH
NTU|浊度|turbidity
μS/cm|微西门子每厘米|microsiemens per centimetre
mg/L|毫克每升|milligram per litre
mm|毫米|millimetre
cm|厘米|centimetre
m|米|metre
km|千米|kilometre
m²|平方米|square metre
m³|立方米|cubic metre
mL|毫升|millilitre
L|升|litre
m³/h|立方米每小时|cubic metre per hour
L/min|升每分钟|litre per minute
g|克|gram
kg|千克|kilogram
t|吨|tonne
m/s|米每秒|metre per second
km/h|千米每小时|kilometre per hour
mm/s|毫米每秒|millimetre per second
m/s²|米每二次方秒|metre per second squared
r/min|转每分钟|revolution per minute
°|度|degree of arc
rad|弧度|radian
N|牛顿|newton
N·m|牛·米|newton metre
ms|毫秒|millisecond
s|秒|second
min|分钟|minute
h|小时|hour
day|天|day
bit|比特|bit
B|字节|byte
KB|千字节|kilobyte
MB|兆字节|megabyte
bps|比特每秒|bit per second
count|次|count
pcs|个|piece
step|步|step
bpm|次每分|beat per minute
Bq/m³|贝可每立方米|becquerel per cubic metre
mm/h|毫米每小时|millimetre per hour`

export type Unit = { symbol: string; zh: string; en: string }

export const units: Unit[] = rows.trim().split('\n').map((row) => {
  const [symbol = '', zh = '', en = ''] = row.split('|')
  return { symbol, zh, en }
})

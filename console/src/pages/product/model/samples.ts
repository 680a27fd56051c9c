import type { Language } from '../../../i18n/texts'
import type { DataType, Model, Property } from './types'

// samples are models to begin with. What people read in them is in the
// visitor's language, as a model has only one.
export function samples(language: Language): { key: 'climate' | 'light' | 'meter'; model: Model }[] {
  const say = (en: string, zh: string) => (language === 'zh' ? zh : en)
  const value = (id: string, name: string, type: DataType, access: Property['access'] = 'read-only'): Property => ({ id, name, access, required: false, type })
  const celsius = { unit: '°C', unitName: say('degree Celsius', '摄氏度') }
  const onOff = { kind: 'bool' as const, labels: [{ value: 0, text: say('off', '关闭') }, { value: 1, text: say('on', '开启') }] }
  return [
    {
      key: 'climate',
      model: {
        properties: [
          value('Temperature', say('Temperature', '温度'), { kind: 'float', min: -40, max: 85, step: 0.1, ...celsius }),
          value('Humidity', say('Humidity', '湿度'), { kind: 'float', min: 0, max: 100, step: 0.1, unit: '%', unitName: say('percent', '百分比') }),
          value('Interval', say('Reporting interval', '上报间隔'), { kind: 'int32', min: 5, max: 3600, step: 1, unit: 's', unitName: say('second', '秒') }, 'read-write'),
        ],
        events: [{
          id: 'TooHot', name: say('Too hot', '高温告警'), level: 'alert', required: false,
          output: [{ id: 'Temperature', name: say('Temperature', '温度'), required: false, type: { kind: 'float', ...celsius } }],
        }],
        services: [],
      },
    },
    {
      key: 'light',
      model: {
        properties: [
          value('Switch', say('Switch', '开关'), onOff, 'read-write'),
          value('Brightness', say('Brightness', '亮度'), { kind: 'int32', min: 0, max: 100, step: 1, unit: '%', unitName: say('percent', '百分比') }, 'read-write'),
          value('Mode', say('Mode', '模式'), { kind: 'enum', labels: [{ value: 0, text: say('manual', '手动') }, { value: 1, text: say('by time', '定时') }, { value: 2, text: say('by light', '光感') }] }, 'read-write'),
          value('Colour', say('Colour', '颜色'), {
            kind: 'struct',
            fields: ['Red', 'Green', 'Blue'].map((id, i) => ({ id, name: [say('red', '红'), say('green', '绿'), say('blue', '蓝')][i] ?? id, required: false, type: { kind: 'int32', min: 0, max: 255 } })),
          }, 'read-write'),
        ],
        events: [{ id: 'LampFault', name: say('Lamp fault', '灯具故障'), level: 'error', required: false, output: [{ id: 'Code', name: say('Code', '故障码'), required: false, type: { kind: 'int32' } }] }],
        services: [{
          id: 'Blink', name: say('Blink', '闪烁'), async: true, required: false,
          input: [{ id: 'Times', name: say('Times', '次数'), required: false, type: { kind: 'int32', min: 1, max: 20 } }],
          output: [{ id: 'Done', name: say('Done', '完成次数'), required: false, type: { kind: 'int32' } }],
        }],
      },
    },
    {
      key: 'meter',
      model: {
        properties: [
          value('Voltage', say('Voltage', '电压'), { kind: 'float', min: 0, max: 500, step: 0.1, unit: 'V', unitName: say('volt', '伏特') }),
          value('Current', say('Current', '电流'), { kind: 'float', min: 0, max: 100, step: 0.001, unit: 'A', unitName: say('ampere', '安培') }),
          value('Power', say('Power', '有功功率'), { kind: 'float', unit: 'W', unitName: say('watt', '瓦特') }),
          value('Energy', say('Energy', '累计电量'), { kind: 'double', min: 0, unit: 'kW·h', unitName: say('kilowatt-hour', '千瓦时') }),
          value('Readings', say('Last 24 hours', '近 24 小时读数'), { kind: 'array', size: 24, item: { kind: 'float' } }),
          value('Since', say('Metering since', '计量起始'), { kind: 'date' }),
        ],
        events: [{ id: 'Overload', name: say('Overload', '过载'), level: 'error', required: false, output: [{ id: 'Power', name: say('Power', '有功功率'), required: false, type: { kind: 'float' } }] }],
        services: [{ id: 'Clear', name: say('Clear the counter', '电量清零'), async: false, required: false, input: [], output: [] }],
      },
    },
  ]
}

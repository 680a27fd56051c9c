import { Flex, Typography } from 'antd'

// explained are the choices of a radio group, each with what it means.
export const explained = (words: Record<string, string>, help: Record<string, string>) =>
  Object.keys(words).map((value) => ({
    value,
    label: (
      <Flex vertical style={{ paddingBottom: 6 }}>
        <span>{words[value]}</span>
        <Typography.Text type="secondary" style={{ fontSize: 12 }}>
          {help[value]}
        </Typography.Text>
      </Flex>
    ),
  }))

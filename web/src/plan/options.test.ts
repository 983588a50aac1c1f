import { describe, expect, it } from 'vitest'
import { beginning, optionChanges, writtenOptions } from '@/plan/options'

const GUEST = 'boot: order=scsi0\nmemory: 4096\nname: web\n\n[snap]\nmemory: 1024\n'

describe('options of a guest', () => {
  it('says before and after', () => {
    const diff =
      '--- now\n+++ then\n@@ -1,4 +1,3 @@\n boot: order=scsi0\n-memory: 2048\n+memory: 4096\n name: web\n-onboot: 1'
    expect(optionChanges('guest/100', diff, GUEST)).toEqual([
      { section: '', name: 'memory', before: '2048', after: '4096' },
      { section: '', name: 'onboot', before: '1', after: undefined },
    ])
  })

  it('knows the section from the whole text', () => {
    const diff = '@@ -6 +6 @@\n-memory: 512\n+memory: 1024'
    expect(optionChanges('guest/100', diff, GUEST)?.[0]).toMatchObject({ section: 'snap', name: 'memory' })
  })

  it('joins the lines of a description', () => {
    const diff = '@@ -0,0 +1,2 @@\n+#first%3A line\n+#second'
    expect(optionChanges('guest/100', diff)?.[0]).toEqual({
      section: '',
      name: 'description',
      before: undefined,
      after: 'first: line\nsecond',
    })
  })

  it('sorts numbered options by number', () => {
    const diff = '@@ -0,0 +1,2 @@\n+net10: virtio\n+net2: virtio'
    expect(optionChanges('guest/1', diff)?.map((change) => change.name)).toEqual(['net2', 'net10'])
  })
})

describe('other files', () => {
  it('reads sections', () => {
    const after = 'dir: local\n\tpath /x\n\tcontent iso,images\n'
    const diff = '@@ -3 +3 @@\n-\tcontent iso\n+\tcontent iso,images'
    expect(optionChanges('storage.cfg', diff, after)).toEqual([
      { section: 'local', name: 'content', before: 'iso', after: 'iso,images' },
    ])
  })

  it('reads users and permissions', () => {
    const diff = '@@ -1,0 +1,2 @@\n+user:anna@pve:1:0::::Boss::\n+acl:1:/vms:anna@pve:PVEVMAdmin:'
    expect(optionChanges('user.cfg', diff)).toEqual([
      { section: 'acl /vms', name: 'anna@pve', before: undefined, after: 'PVEVMAdmin' },
      { section: 'user anna@pve', name: 'comment', before: undefined, after: 'Boss' },
      { section: 'user anna@pve', name: 'enable', before: undefined, after: '1' },
    ])
  })

  it('has none where the text has no options or may not be seen', () => {
    expect(optionChanges('authkey.pub', '@@ -0,0 +1 @@\n+x')).toBeNull()
    expect(writtenOptions({ key: 'shadow.cfg', action: 'change' })).toBeNull()
    expect(writtenOptions({ key: 'guest/1', action: 'delete', text: null, diff: '@@ -1 +0,0 @@\n-name: x' })).toEqual([
      { section: '', name: 'name', before: 'x', after: undefined },
    ])
  })
})

it('shows the beginning of long values only', () => {
  expect(beginning('a\nb')).toBe('a\nb')
  expect(beginning('line\n'.repeat(50))).toBe('line\nline\nline\nline\nline')
  expect(beginning('x'.repeat(320))).toHaveLength(320)
  expect(beginning('x'.repeat(400))).toHaveLength(300)
})

import { describe, expect, it } from 'vitest'
import { curlCommand, isSecret, pveshCommand, quote, secretsIn } from '@/plan/command'

const CONFIG = 'PUT /nodes/{node}/qemu/{vmid}/config'

describe('quote', () => {
  it('leaves plain words and quotes the others', () => {
    expect(quote('virtio,bridge=vmbr0')).toBe('virtio,bridge=vmbr0')
    expect(quote('')).toBe("''")
    expect(quote('order=scsi0;net0')).toBe("'order=scsi0;net0'")
    expect(quote("it's $HOME `id`\nnext")).toBe("'it'\\''s $HOME `id`\nnext'")
    expect(quote('~/x')).toBe("'~/x'")
    expect(quote('*')).toBe("'*'")
  })
})

describe('commands', () => {
  it('is a pvesh call with its parameters', () => {
    const params = { node: 'n1', vmid: 100, memory: 4096, onboot: true, description: 'a b', balloon: undefined }
    expect(pveshCommand(CONFIG, params)).toBe(
      "pvesh set /nodes/n1/qemu/100/config --memory 4096 --onboot 1 --description 'a b'",
    )
  })

  it('repeats arrays and hides secrets', () => {
    expect(pveshCommand('POST /nodes/{node}/x', { node: 'n1', args: ['a', 'b c'], password: 'hunter2' })).toBe(
      "pvesh create /nodes/n1/x --args a --args 'b c' --password '***'",
    )
    expect(pveshCommand(CONFIG, { node: 'n', vmid: 1, sshkeys: 'k' }, new Set(['sshkeys']))).toContain(
      "--sshkeys '***'",
    )
  })

  it('is a curl call', () => {
    expect(curlCommand(CONFIG, { node: 'n1', vmid: 100, name: 'a b' }, 'https://h:8006')).toBe(
      'curl --request PUT --header "Authorization: PVEAPIToken=$PVE_API_TOKEN"' +
        " --data-urlencode 'name=a b' https://h:8006/api2/json/nodes/n1/qemu/100/config",
    )
    expect(curlCommand('DELETE /pools', { poolid: 'a/b' }, 'https://h')).toContain('--get --data-urlencode poolid=a/b')
  })

  it('finds secrets by schema and by name', () => {
    expect(isSecret('cipassword')).toBe(true)
    expect(isSecret('tokenid')).toBe(false)
    expect(secretsIn({ cipassword: 'x', name: 'y', password: '' })).toEqual(['cipassword'])
  })
})

#!/bin/busybox sh
# /init of the test guest: busybox as PID 1, drivers, network by DHCP, guest agent, ACPI power button, login prompts.
/bin/busybox --install -s /bin
export PATH=/bin:/sbin:/usr/sbin:/usr/bin HOME=/root TERM=linux
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs tmp /run
ln -sf /proc/self/fd /dev/fd
hostname corral-test
echo 1 >/proc/sys/kernel/printk

# First what a login, the agent and the power button need; the rest follows while somebody logs in.
for module in virtio_pci virtio_console button evdev af_packet virtio_net virtio_blk; do modprobe "$module" 2>/dev/null; done

for event in PWRF/00000080; do
    mkdir -p "/etc/acpi/${event%/*}" /var/log /var/run
    printf '#!/bin/sh\necho "corral-test: power button" >/dev/console\nsync\npoweroff -f\n' >"/etc/acpi/$event"
    chmod 755 "/etc/acpi/$event"
done
acpid -c /etc/acpi 2>/dev/null

# What the guest agent calls to shut down.
cat >/sbin/shutdown <<'EOF'
#!/bin/sh
sync
case " $* " in
*" -r "*) exec reboot -f ;;
*) exec poweroff -f ;;
esac
EOF
chmod 755 /sbin/shutdown

# A new virtio port (also one that is plugged in later) gets the name that its user asks for.
cat >/bin/name-ports <<'EOF'
#!/bin/sh
mkdir -p /dev/virtio-ports
for port in /sys/class/virtio-ports/*; do
    [ -f "$port/name" ] && name=$(cat "$port/name") && [ -n "$name" ] && ln -sf "/dev/${port##*/}" "/dev/virtio-ports/$name"
done
EOF
chmod 755 /bin/name-ports

cat >/bin/agent-loop <<'EOF'
#!/bin/sh
port=/dev/virtio-ports/org.qemu.guest_agent.0
while true; do
    name-ports
    [ -e $port ] && qemu-ga -m virtio-serial -p $port -t /run -f /run/qga.pid >/run/qga.log 2>&1
    sleep 1
done
EOF
chmod 755 /bin/agent-loop

cat >/bin/net-up <<'EOF'
#!/bin/sh
ip link set lo up
for path in /sys/class/net/*; do
    nic=${path##*/}
    [ "$nic" = lo ] && continue
    [ -e "/run/udhcpc.$nic" ] && continue
    ip link set "$nic" up
    udhcpc -s /usr/share/udhcpc/default.script -i "$nic" -b -S -t 5 -T 1 -p "/run/udhcpc.$nic" -x "hostname:$(hostname)" >/dev/null 2>&1 &
done
EOF
chmod 755 /bin/net-up

(
    net-up
    agent-loop &
    for module in virtio_balloon virtio_rng virtio_scsi virtio_mem sd_mod sr_mod ata_piix vmw_pvscsi nvme isofs vfat ext4 \
        virtiofs virtio_gpu vmxnet3 qemu_fw_cfg; do
        modprobe "$module" 2>/dev/null
    done
    # A cloud-init drive is read as far as a test wants to see it: the files, and the host name.
    for drive in /dev/sr0 /dev/sr1 /dev/sr2; do
        [ -b "$drive" ] || continue
        mkdir -p "/run/media/${drive##*/}"
        mount -t iso9660 -o ro "$drive" "/run/media/${drive##*/}" 2>/dev/null || continue
        wanted=$(sed -n 's/^hostname: *//p' "/run/media/${drive##*/}/user-data" 2>/dev/null | head -n 1)
        [ -n "$wanted" ] && hostname "$wanted" && echo "$wanted" >/run/cidata-hostname
    done
    # Devices plugged in later.
    while sleep 1; do net-up; done
) </dev/null >/dev/null 2>&1 &

# A test may bring its own programs: an ext4 disk, named on the kernel's command line, with `run` at its top.
device=$(sed -n 's/.*corral\.run=\([^ ]*\).*/\1/p' /proc/cmdline)
if [ -n "$device" ]; then
    modprobe ext4 2>/dev/null
    mkdir -p /run/tools
    mount -t ext4 -o ro "/dev/$device" /run/tools && (sh /run/tools/run </dev/null >/dev/console 2>&1 &)
fi

if [ -c /dev/tty1 ]; then
    (while true; do setsid getty -L 0 tty1 linux </dev/null >/dev/null 2>&1; sleep 1; done) &
fi
while true; do
    setsid getty -L 115200 ttyS0 vt100
    sleep 1
done

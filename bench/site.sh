#!/bin/sh
# The rival of "from bare to site": what an engineer would write by hand to install the same packages and start the
# same services, on all hosts in parallel over ssh. It configures nothing but what the packages bring along, so it is
# a lower bound that no complete provisioning can beat.
#
# usage: site.sh INVENTORY-DIRECTORY
set -eu
inventory=$1

on() { # HOST SCRIPT
  ssh -F "$inventory/ssh_config" "$1" sudo sh -eu <<SCRIPT
export DEBIAN_FRONTEND=noninteractive
$2
SCRIPT
}

balancer='
apt-get -q update
apt-get -q -y install haproxy keepalived ufw chrony socat openssl nodejs
systemctl is-active --quiet haproxy
'

server='
cat > /etc/apt/sources.list.d/sid.sources <<SOURCES
Types: deb
URIs: http://deb.debian.org/debian
Suites: sid
Components: main
Check-Valid-Until: no
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
SOURCES
printf "Package: *\nPin: release n=sid\nPin-Priority: 100\n" > /etc/apt/preferences.d/sid
apt-get -q update
apt-get -q -y install nginx-light nodejs ufw chrony etcd-server etcd-client
# Its first start fails now and then, by a race in the package.
apt-get -q -y install -t sid mysql-server || { rm -rf /var/lib/mysql/*; dpkg --configure -a; }
systemctl is-active --quiet mysql
'

log=$(mktemp -d)
trap 'rm -rf "$log"' EXIT
pids=
for host in lb1 lb2; do on "$host" "$balancer" > "$log/$host" 2>&1 & pids="$pids $!:$host"; done
for host in web1 web2 web3; do on "$host" "$server" > "$log/$host" 2>&1 & pids="$pids $!:$host"; done
for entry in $pids; do
  if ! wait "${entry%%:*}"; then
    echo "${entry#*:} failed:" >&2
    tail -n 20 "$log/${entry#*:}" >&2
    exit 1
  fi
done

#!/usr/bin/env bash
# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
#
# The 21 rules of cis-1.24 on the kubelet, as the benchmark's audit texts and the public auditors go about them: each
# rule by itself looks into ps once, finds the files by flag or by guess, and reads them with grep and stat.
# Usage: auditor.sh ROOT [RULE]     ROOT: the node's root file system, '' for this machine's own

root=$1

flag() {
  echo "$line" | grep -o -e "--$1[= ][^ ]*" | head -n 1 | cut -d= -f2
}

# The file that a flag names, or the first of the names that it may have.
file() {
  local name=$1 found guess
  shift
  found=$(flag "$name")
  for guess in "$found" "$@"; do
    if [ -n "$guess" ] && [ -e "$root$guess" ]; then
      echo "$root$guess"
      return
    fi
  done
}

config() {
  file config /var/lib/kubelet/config.yaml /etc/kubernetes/kubelet/kubelet-config.json /etc/kubernetes/kubelet-config.yaml
}

kubeconfig() {
  file kubeconfig /etc/kubernetes/kubelet.conf /var/lib/kubelet/kubeconfig
}

service() {
  file no-such-flag /etc/systemd/system/kubelet.service /usr/lib/systemd/system/kubelet.service
}

client_ca() {
  local named
  named=$(flag client-ca-file)
  [ -n "$named" ] || named=$(grep clientCAFile "$(config)" | awk '{print $2}')
  [ -n "$named" ] && echo "$root$named"
}

# A flag, else the key of the configuration file.
value() {
  local found
  found=$(flag "$1")
  [ -n "$found" ] || found=$(grep -A "${3:-0}" -E "^ *$2:" "$(config)" | tail -n 1 | awk '{print $NF}')
  echo "$found"
}

say() {
  if [ "$2" = yes ]; then echo "[PASS] $1"; else echo "[FAIL] $1"; fi
}

is() {
  if [ "$2" = "$3" ]; then say "$1" yes; else say "$1" no; fi
}

is_not() {
  if [ "$2" != "$3" ]; then say "$1" yes; else say "$1" no; fi
}

mode() {
  case $(stat -c %a "$2" 2>/dev/null) in 600 | 400 | 0) say "$1" yes ;; *) say "$1" no ;; esac
}

owner() {
  is "$1" "$(stat -c %U:%G "$2" 2>/dev/null)" root:root
}

audit() {
  line=$(ps -ef | grep kubelet | grep -v grep)
  case $1 in
    4.1.1) mode "$1" "$(service)" ;;
    4.1.2) owner "$1" "$(service)" ;;
    4.1.5) mode "$1" "$(kubeconfig)" ;;
    4.1.6) owner "$1" "$(kubeconfig)" ;;
    4.1.7) mode "$1" "$(client_ca)" ;;
    4.1.8) owner "$1" "$(client_ca)" ;;
    4.1.9) mode "$1" "$(config)" ;;
    4.1.10) owner "$1" "$(config)" ;;
    4.2.1) is "$1" "$(value anonymous-auth anonymous 1)" false ;;
    4.2.2) is_not "$1" "$(value authorization-mode mode)" AlwaysAllow ;;
    4.2.3) is_not "$1" "$(value client-ca-file clientCAFile)" '' ;;
    4.2.4) is "$1" "$(value read-only-port readOnlyPort)" '' ;;
    4.2.5) is_not "$1" "$(value streaming-connection-idle-timeout streamingConnectionIdleTimeout)" 0 ;;
    4.2.6) is "$1" "$(value protect-kernel-defaults protectKernelDefaults)" true ;;
    4.2.7) is_not "$1" "$(value make-iptables-util-chains makeIPTablesUtilChains)" false ;;
    4.2.8) is "$1" "$(flag hostname-override)" '' ;;
    4.2.9) is_not "$1" "$(value event-qps eventRecordQPS)" '' ;;
    4.2.10) is_not "$1" "$(value tls-cert-file tlsCertFile)$(value rotate-server-certificates serverTLSBootstrap)" '' ;;
    4.2.11) is_not "$1" "$(value rotate-certificates rotateCertificates)" false ;;
    4.2.12) is_not "$1" "$(value feature-gates RotateKubeletServerCertificate)" false ;;
    4.2.13) is_not "$1" "$(value tls-cipher-suites tlsCipherSuites 1)" '' ;;
  esac
}

rules=${2:-4.1.1 4.1.2 4.1.5 4.1.6 4.1.7 4.1.8 4.1.9 4.1.10 4.2.1 4.2.2 4.2.3 4.2.4 4.2.5 4.2.6 4.2.7 4.2.8 4.2.9 4.2.10 4.2.11 4.2.12 4.2.13}
for rule in $rules; do
  audit "$rule"
done

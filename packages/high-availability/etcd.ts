import type { ClusterPlan, EtcdMember } from "./plan.ts";

/** etcd's configuration file of one member. */
export function renderEtcd(plan: ClusterPlan, member: EtcdMember): string {
  const others = plan.etcd.map(({ name, host, peerPort }) => `${name}=http://${host}:${peerPort}`);
  return `# etcd decides who leads the database. Only members of the cluster may reach these ports.
name: ${member.name}
data-dir: ${member.dataDir}
listen-client-urls: http://${member.host}:${member.clientPort}
advertise-client-urls: http://${member.host}:${member.clientPort}
listen-peer-urls: http://${member.host}:${member.peerPort}
initial-advertise-peer-urls: http://${member.host}:${member.peerPort}
initial-cluster: ${others.join(",")}
initial-cluster-token: ${plan.name}
initial-cluster-state: new
# A few megabytes in all: leases and one key for each member.
auto-compaction-mode: periodic
auto-compaction-retention: 1h
# Patroni speaks to it over HTTP, which a configuration file switches off unless it says so.
enable-grpc-gateway: true
${plan.etcdInterface === "etcd" ? "enable-v2: true\n" : ""}`;
}

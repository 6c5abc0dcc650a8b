import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { type Client, formatSpeed, type OwnPlan, type Plan } from "@securewave/contracts";
import { asksFirst, lists } from "../acts.ts";
import { given, type Perform } from "../call.ts";
import { usageError } from "../failure.ts";
import { humanBytes } from "../human.ts";
import { dataOrNone, integerOrNone, limitOf, type None, speed, speedOrNone } from "../limits.ts";
import { commaList, searchOption } from "../options.ts";
import type { Column } from "../output.ts";
import { BY_MAIL, BY_NAME, resolveAccount, resolvePlan } from "../resolve.ts";

/** As the contract has them. */
const COUNT_MAX = 1000;
const KBIT_PER_SECOND_MIN = 64;
const KBIT_PER_SECOND_MAX = 40_000_000;

export function addPlanCommands(program: CommandUnknownOpts, perform: Perform): void {
  const plans = program.command("plans").description("what customers may use: quota, connections, devices");
  addReadCommands(plans, perform);
  addWriteCommands(plans, perform);
  addAccountCommands(plans, perform);
}

function addReadCommands(plans: CommandUnknownOpts, perform: Perform): void {
  const list = plans
    .command("list")
    .description("list plans by name; for support agents and admins")
    .addOption(searchOption())
    .addHelpText(
      "after",
      `
Examples:
  $ securewave plans list
  $ securewave plans list --all --json`,
    );
  lists(list, perform, {
    noun: "plan",
    open: (api) => (query) => api.plans.list({ query }),
    columns: () => COLUMNS,
  });

  plans
    .command("show")
    .description("show a plan, or without a name one's own")
    .argument("[plan]", BY_NAME)
    .addHelpText(
      "after",
      `
Examples:
  $ securewave plans show
  $ securewave plans show Standard --json`,
    )
    .action((name) =>
      perform(async ({ client, out }) => {
        const api = await client();
        const plan = name === undefined ? await api.plans.own() : await showPlan(api, name);
        out.result(plan, () => out.fields(planFields(plan)));
      }),
    );
}

const quotaOption = () =>
  new Option("--quota <data>", "traffic a month: 500GB, 2TiB or none").argParser(dataOrNone);
const onQuotaOption = () =>
  new Option("--on-quota <what>", "what happens at 100 %").choices(["throttle", "block"] as const);
const throttleOption = () =>
  new Option("--throttle <speed>", "fair-use speed of each device: 1500kbit, 2mbit").argParser(
    speed(KBIT_PER_SECOND_MIN, KBIT_PER_SECOND_MAX),
  );
const speedOption = () =>
  new Option("--speed <speed>", "speed of each device: 50mbit, 1gbit or none").argParser(
    speedOrNone(KBIT_PER_SECOND_MIN, KBIT_PER_SECOND_MAX),
  );
const tagsOption = () =>
  new Option(
    "--tags <tags>",
    "servers it is for beside those without tags: words with commas between",
  ).argParser(commaList);
const connectionsOption = () =>
  new Option("--connections-max <number>", "devices connected at the same time, or none").argParser(
    integerOrNone(1, COUNT_MAX),
  );
const devicesOption = () =>
  new Option("--devices-max <number>", "active devices; none: as the settings say").argParser(
    integerOrNone(1, COUNT_MAX),
  );

interface LimitOptions {
  readonly quota?: number | None;
  readonly onQuota?: OwnPlan["on_quota"];
  readonly throttle?: number;
  readonly speed?: number | None;
  readonly tags?: string[];
  readonly connectionsMax?: number | None;
  readonly devicesMax?: number | None;
}

function limitsOf(options: LimitOptions) {
  return given({
    quota_bytes: limitOf(options.quota),
    on_quota: options.onQuota,
    throttle_kbit_per_second: options.throttle,
    speed_kbit_per_second: limitOf(options.speed),
    server_tags: options.tags,
    connections_max: limitOf(options.connectionsMax),
    devices_max: limitOf(options.devicesMax),
  });
}

function addWriteCommands(plans: CommandUnknownOpts, perform: Perform): void {
  plans
    .command("create")
    .description("add a plan; what is left out has no limit")
    .argument("<name>", "what customers read")
    .addOption(quotaOption())
    .addOption(onQuotaOption())
    .addOption(throttleOption())
    .addOption(speedOption())
    .addOption(tagsOption())
    .addOption(connectionsOption())
    .addOption(devicesOption())
    .addHelpText(
      "after",
      `
Examples:
  $ securewave plans create Basic --quota 200GB --throttle 2mbit --connections-max 3
  $ securewave plans create Fast --speed 200mbit --tags streaming
  $ securewave plans create Trial --quota 5GB --on-quota block --devices-max 1`,
    )
    .action((name, options) =>
      perform(async ({ client, out }) => {
        const { plans: api } = await client();
        const plan = await api.create({ body: { name, ...limitsOf(options) } });
        out.result(plan, () => out.fields(planFields(plan)));
      }),
    );

  plans
    .command("change")
    .description("change a plan, for all who have it and at once; what is not named stays")
    .argument("<plan>", BY_NAME)
    .option("--name <name>", "what customers read")
    .addOption(quotaOption())
    .addOption(onQuotaOption())
    .addOption(throttleOption())
    .addOption(speedOption())
    .addOption(tagsOption())
    .addOption(connectionsOption())
    .addOption(devicesOption())
    .option("--default", "give it to every new account")
    .option("--retire", "give it to nobody new; who has it keeps it")
    .option("--offer", "give it to new ones again")
    .addHelpText(
      "after",
      `
Examples:
  $ securewave plans change Basic --quota 300GB
  $ securewave plans change Basic --speed 50mbit --default
  $ securewave plans change Trial --retire`,
    )
    .action((name, options) =>
      perform(async ({ client, out }) => {
        if (options.retire && options.offer) throw usageError("Either --retire or --offer, not both.");
        const body = {
          ...limitsOf(options),
          ...given({ name: options.name, is_default: options.default }),
          ...(options.retire || options.offer ? { is_retired: options.retire === true } : {}),
        };
        if (Object.keys(body).length === 0)
          throw usageError("Name at least one thing to change.", "Add --help to see them.");
        const api = await client();
        const plan = await api.plans.change({ params: { id: await resolvePlan(api, name) }, body });
        out.result(plan, () => out.fields(planFields(plan)));
      }),
    );

  const remove = plans
    .command("remove")
    .description("remove a plan that no account has")
    .argument("<plan>", BY_NAME)
    .addHelpText(
      "after",
      `
Examples:
  $ securewave plans remove Trial
  $ securewave plans remove Trial --yes`,
    );
  asksFirst(remove, perform, {
    find: showPlan,
    question: ({ name }) => `Remove the plan ${name}?`,
    async act(api, { id }) {
      await api.plans.remove({ params: { id } });
      return { removed: id };
    },
    done: (_, { name }) => `Removed ${name}.`,
  });
}

function addAccountCommands(plans: CommandUnknownOpts, perform: Perform): void {
  plans
    .command("of")
    .description("show which plan an account has; for support agents and admins")
    .argument("<user>", BY_MAIL)
    .addHelpText(
      "after",
      `
Examples:
  $ securewave plans of ada@example.org`,
    )
    .action((user) =>
      perform(async ({ client, out }) => {
        const api = await client();
        const plan = await api.plans.ofAccount({ params: { id: await resolveAccount(api, user) } });
        out.result(plan, () => out.fields(planFields(plan)));
      }),
    );

  plans
    .command("assign")
    .description("give an account a plan; its limits hold at once")
    .argument("<user>", BY_MAIL)
    .argument("<plan>", BY_NAME)
    .addHelpText(
      "after",
      `
Examples:
  $ securewave plans assign ada@example.org Basic`,
    )
    .action((user, name) =>
      perform(async ({ client, out }) => {
        const api = await client();
        const id = await resolveAccount(api, user);
        const plan = await api.plans.assign({
          params: { id },
          body: { plan_id: await resolvePlan(api, name) },
        });
        out.result(plan, () => `${user} has the plan ${plan.name}.`);
      }),
    );
}

async function showPlan(api: Client, text: string): Promise<Plan> {
  return api.plans.show({ params: { id: await resolvePlan(api, text) } });
}

const COLUMNS: readonly Column<Plan>[] = [
  { title: "NAME", value: (plan) => plan.name },
  { title: "QUOTA", value: (plan) => quotaText(plan) },
  { title: "SPEED", value: speedText, align: "right" },
  { title: "TAGS", value: ({ server_tags }) => server_tags.join(", ") || "-" },
  { title: "CONNECTIONS", value: (plan) => maxText(plan.connections_max), align: "right" },
  { title: "DEVICES", value: (plan) => maxText(plan.devices_max, "as set"), align: "right" },
  { title: "", value: (plan) => marksOf(plan).join(", ") },
];

function planFields(plan: OwnPlan | Plan): [string, string][] {
  const fields: [string, string][] = [
    ["Plan", plan.name],
    ["Traffic a month", quotaText(plan)],
    ["Speed", speedText(plan)],
    ["Servers", serversText(plan)],
    ["Connections", maxText(plan.connections_max)],
    ["Devices", maxText(plan.devices_max, "as the settings say")],
  ];
  return "id" in plan
    ? [...fields, ["State", marksOf(plan).join(", ") || "offered"], ["Id", plan.id]]
    : fields;
}

function marksOf({ is_default, is_retired, is_used }: Plan): string[] {
  return [is_default && "default", is_retired && "retired", !is_used && "unused"].filter(
    (mark) => mark !== false,
  );
}

function quotaText({ quota_bytes, on_quota, throttle_kbit_per_second }: OwnPlan): string {
  if (quota_bytes === null) return "unlimited";
  const then = on_quota === "block" ? "blocked" : formatSpeed(throttle_kbit_per_second);
  return `${humanBytes(quota_bytes)}, then ${then}`;
}

function speedText({ speed_kbit_per_second }: OwnPlan): string {
  return speed_kbit_per_second === null ? "unlimited" : formatSpeed(speed_kbit_per_second);
}

function serversText({ server_tags }: OwnPlan): string {
  return server_tags.length === 0
    ? "those without tags"
    : `those without tags, and with ${server_tags.join(", ")}`;
}

function maxText(max: number | null, none = "unlimited"): string {
  return max === null ? none : `at most ${max}`;
}

import type { Condition, Labels, Quantity } from "./rule.ts";

/** The condition in PromQL: it gives a series while it holds, and none while it does not. */
export function promqlOf({ quantity, above, below, and }: Condition): string {
  const value = quantityOf(quantity);
  const bound = above === undefined ? `< ${below}` : `> ${above}`;
  const own = `${value} ${bound}`;
  return and === undefined ? own : `(${own}) and (${promqlOf(and)})`;
}

/** The quantity alone, for a dashboard. */
export function quantityOf(quantity: Quantity): string {
  switch (quantity.kind) {
    case "scraped":
      return 'max(up{job="securewave"} or absent(up{job="securewave"}) * 0)';
    case "now":
      return `max(${quantity.metric}${selector(quantity.where)})`;
    case "share":
      return `max(${quantity.part} / ${quantity.of})`;
    case "growth":
      return grown(quantity.metric, quantity.where, quantity.minutes);
    case "ratio":
      return `${grown(quantity.metric, quantity.where, quantity.minutes)} / ${grown(quantity.metric, undefined, quantity.minutes)}`;
    case "mean": {
      const { histogram, minutes } = quantity;
      return `${grown(`${histogram}_sum`, undefined, minutes)} / ${grown(`${histogram}_count`, undefined, minutes)}`;
    }
    case "quantile": {
      const { histogram, quantile, minutes } = quantity;
      return `histogram_quantile(${quantile}, sum by (le) (increase(${histogram}_bucket[${minutes}m])))`;
    }
  }
}

function grown(metric: string, where: Labels | undefined, minutes: number): string {
  return `sum(increase(${metric}${selector(where)}[${minutes}m]))`;
}

function selector(where: Labels = {}): string {
  const matches = Object.entries(where).map(([label, value]) =>
    value instanceof RegExp ? `${label}=~"${value.source}"` : `${label}="${value}"`,
  );
  return matches.length === 0 ? "" : `{${matches.join(",")}}`;
}

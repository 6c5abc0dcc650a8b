import { AccountTabs } from "../../components/account-tabs.tsx";
import { PageTitle } from "../../components/page.tsx";
import { LogInsSection } from "./log-ins-section.tsx";
import { PasskeysSection } from "./passkeys-section.tsx";
import { PasswordSection } from "./password-section.tsx";
import { SecondFactorSection } from "./second-factor-section.tsx";

export function SecurityPage() {
  return (
    <>
      <PageTitle title="Security" lead="How you log in, and where you are logged in." />
      <AccountTabs />
      <div>
        <PasswordSection />
        <SecondFactorSection />
        <PasskeysSection />
        <LogInsSection />
      </div>
    </>
  );
}

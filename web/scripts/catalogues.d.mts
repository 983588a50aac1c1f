export function checkCatalogues(): string[]
